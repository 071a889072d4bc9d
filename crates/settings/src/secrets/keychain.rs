//! The system's keychain through `keyring-core` and the store of the platform. All of it may block.

use std::sync::Arc;

use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error};

use super::{SecretError, SecretKey, SecretStore};
use crate::secret::Secret;

/// What our entries belong to, in every keychain.
const SERVICE: &str = "pilothouse";

struct Keychain {
    store: Arc<CredentialStore>,
}

/// The keychain of this system; fails where there is none.
pub(super) fn open() -> Result<Box<dyn SecretStore>, SecretError> {
    let store: Arc<CredentialStore> = platform_store().map_err(|error| told(&error))?;
    Ok(Box::new(Keychain { store }))
}

#[cfg(target_os = "macos")]
fn platform_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn platform_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn platform_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

impl Keychain {
    fn entry(&self, key: &SecretKey) -> Result<Entry, SecretError> {
        let entry = self.store.build(SERVICE, &key.account(), None);
        entry.map_err(|error| told(&error))
    }
}

impl SecretStore for Keychain {
    fn get(&self, key: &SecretKey) -> Result<Option<Secret>, SecretError> {
        match self.entry(key)?.get_password() {
            Ok(password) => Ok(Some(Secret::new(password))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(told(&error)),
        }
    }

    fn set(&self, key: &SecretKey, secret: &Secret) -> Result<(), SecretError> {
        let set = self.entry(key)?.set_password(secret.expose());
        set.map_err(|error| told(&error))
    }

    fn delete(&self, key: &SecretKey) -> Result<(), SecretError> {
        match self.entry(key)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(told(&error)),
        }
    }
}

/// The library's error in our words. Some of its variants carry what was in the keychain, so only the texts of those that
/// do not are passed on.
fn told(error: &Error) -> SecretError {
    match error {
        Error::NoStorageAccess(reason) => SecretError::Refused(reason.to_string()),
        Error::PlatformFailure(reason) => SecretError::Failed(reason.to_string()),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => SecretError::Failed(
            "the entry is not text; delete it there and enter the secret again".to_owned(),
        ),
        Error::Ambiguous(_) => SecretError::Failed(
            "it has several entries of this name; delete all but one there".to_owned(),
        ),
        Error::TooLong(_, most) => {
            SecretError::Failed(format!("it takes at most {most} characters"))
        }
        Error::NoEntry
        | Error::BadStoreFormat(_)
        | Error::Invalid(..)
        | Error::NoDefaultStore
        | Error::NotSupportedByStore(_)
        | _ => SecretError::Failed("its library could not carry it out".to_owned()),
    }
}
