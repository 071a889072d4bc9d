//! Secrets of sources: in the system's keychain, or in memory where there is none, and nowhere else.
//!
//! [`Secrets::open`] finds the keychain: the Secret Service of a Linux desktop (GNOME Keyring, `KWallet`, `KeePassXC`) over
//! D-Bus, the login keychain of macOS, the Credential Manager of Windows. Without one, on a server or in a container,
//! secrets last until the program ends, and the shell says why.
//!
//! A keychain may ask the person to unlock it and wait for as long as they like. So one thread of its own asks the
//! keychain, and every call has a deadline; a call that was given up before its turn is not made.

mod keychain;
mod memory;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};
use thiserror::Error;

pub use memory::MemoryStore;

use crate::context_key::ContextKey;
use crate::secret::Secret;

/// Long enough to type a password into the prompt of a locked keychain.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The metrics of a context.
    Metrics,
    /// Its traces.
    Traces,
}

/// Which secret: of this context, for this purpose. Two contexts of one name in two files have each their own, so a token
/// never goes to a namesake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretKey {
    /// Of which context.
    pub context: ContextKey,
    /// For what.
    pub purpose: Purpose,
    /// Number of the source among those of its purpose, from 0.
    pub index: usize,
}

impl SecretKey {
    /// The secret of the first source of this purpose.
    #[must_use]
    pub const fn new(context: ContextKey, purpose: Purpose) -> Self {
        Self {
            context,
            purpose,
            index: 0,
        }
    }

    /// Name of the entry in a keychain: `metrics of prod-eu (3f09…)`. The name is for people, who see it in the keychain's
    /// own window; the number tells namesakes apart (SHA-256 over purpose, name, index and file, its first 128 bits).
    #[must_use]
    pub fn account(&self) -> String {
        let purpose = match self.purpose {
            Purpose::Metrics => "metrics",
            Purpose::Traces => "traces",
        };
        // By its parts, as paths are compared: `/a//b` is `/a/b`.
        let file: PathBuf = self
            .context
            .file
            .iter()
            .flat_map(|file| file.components())
            .collect();
        let parts = [purpose, self.context.name.as_str(), &self.index.to_string()];
        let mut hash = Sha256::new();
        for part in parts
            .map(str::as_bytes)
            .into_iter()
            .chain([file.as_os_str().as_encoded_bytes()])
        {
            hash.update(part);
            // No UTF-8 holds it, so no part can pretend to be two.
            hash.update([0xff]);
        }
        let number: String = hash
            .finalize()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        // Windows takes 512 characters.
        let name: String = self
            .context
            .name
            .chars()
            .filter(|c| !c.is_control())
            .take(80)
            .collect();
        format!("{purpose} of {name} ({number})")
    }
}

/// Why the keychain did not do what it was asked. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SecretError {
    /// It did not answer in time; likely it waits for somebody to unlock it.
    #[error("the keychain did not answer within {} s; look for a window that asks for its password", .0.as_secs())]
    TimedOut(Duration),
    /// It is locked, or the person said no.
    #[error("the keychain is locked or access was refused: {0}")]
    Refused(String),
    /// Anything else.
    #[error("the keychain failed: {0}")]
    Failed(String),
}

/// A place for secrets. Every call may block for as long as the keychain likes; [`Secrets`] puts a deadline on it.
pub trait SecretStore: Send {
    /// The secret; `None` if there is none.
    ///
    /// # Errors
    /// If the store cannot say.
    fn get(&self, key: &SecretKey) -> Result<Option<Secret>, SecretError>;

    /// Keeps a secret in the place of the one before.
    ///
    /// # Errors
    /// If the store does not take it.
    fn set(&self, key: &SecretKey, secret: &Secret) -> Result<(), SecretError>;

    /// Forgets a secret; fine if there is none.
    ///
    /// # Errors
    /// If the store keeps it.
    fn delete(&self, key: &SecretKey) -> Result<(), SecretError>;
}

/// Where secrets are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In the system's keychain.
    Keychain,
    /// In memory, until the program ends: there is no keychain, for this reason.
    MemoryOnly(String),
}

type Opener = Box<dyn FnOnce() -> Result<Box<dyn SecretStore>, SecretError> + Send>;
type Task = Box<dyn FnOnce(&dyn SecretStore) + Send>;

/// The secrets, with a deadline on every call. Clones share one store.
#[derive(Clone)]
pub struct Secrets {
    tasks: Sender<Task>,
    patience: Duration,
}

impl Secrets {
    /// Opens the system's keychain, or a store in memory where there is none. Blocks for up to `patience`
    /// ([`PATIENCE`] where nobody is waiting).
    ///
    /// # Errors
    /// If the system has no thread left for it.
    pub fn open(patience: Duration) -> io::Result<(Self, Kind)> {
        Self::open_with(Box::new(keychain::open), patience)
    }

    /// Secrets in memory alone.
    ///
    /// # Errors
    /// If the system has no thread left for it.
    pub fn in_memory() -> io::Result<Self> {
        let opener: Opener = Box::new(|| Ok(Box::new(MemoryStore::default())));
        Ok(Self::open_with(opener, PATIENCE)?.0)
    }

    fn open_with(opener: Opener, patience: Duration) -> io::Result<(Self, Kind)> {
        let (tasks, inbox) = mpsc::channel::<Task>();
        let (told, opened) = mpsc::channel();
        thread::Builder::new()
            .name("secrets".to_owned())
            .spawn(move || {
                let store = opener();
                // Nobody listens any more if opening took too long; then memory took over, and this thread is done.
                let answer = store.as_ref().map(|_| ()).map_err(Clone::clone);
                if let (Ok(()), Ok(store)) = (told.send(answer), store) {
                    for task in inbox {
                        task(store.as_ref());
                    }
                }
            })?;
        let reason = match opened.recv_timeout(patience) {
            Ok(Ok(())) => return Ok((Self { tasks, patience }, Kind::Keychain)),
            Ok(Err(error)) => error,
            Err(RecvTimeoutError::Timeout) => SecretError::TimedOut(patience),
            Err(RecvTimeoutError::Disconnected) => {
                SecretError::Failed("its library gave up".to_owned())
            }
        };
        let memory = Self::in_memory()?;
        let memory = Self { patience, ..memory };
        Ok((memory, Kind::MemoryOnly(reason.to_string())))
    }

    /// The secret; `None` if there is none. Blocks until the deadline at most.
    ///
    /// # Errors
    /// If the keychain is locked, fails or does not answer in time.
    pub fn get(&self, key: &SecretKey) -> Result<Option<Secret>, SecretError> {
        let key = key.clone();
        self.ask(move |store| store.get(&key))
    }

    /// Keeps a secret in the place of the one before. Blocks until the deadline at most; after [`SecretError::TimedOut`]
    /// it may still be kept, if the keychain had begun.
    ///
    /// # Errors
    /// If the keychain is locked, fails or does not answer in time.
    pub fn set(&self, key: &SecretKey, secret: &Secret) -> Result<(), SecretError> {
        let (key, secret) = (key.clone(), secret.clone());
        self.ask(move |store| store.set(&key, &secret))
    }

    /// Forgets a secret; fine if there is none. Blocks until the deadline at most.
    ///
    /// # Errors
    /// If the keychain is locked, fails or does not answer in time.
    pub fn delete(&self, key: &SecretKey) -> Result<(), SecretError> {
        let key = key.clone();
        self.ask(move |store| store.delete(&key))
    }

    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn SecretStore) -> Result<T, SecretError> + Send + 'static,
    ) -> Result<T, SecretError> {
        let (answer, answered) = mpsc::channel();
        let given_up = Arc::new(AtomicBool::new(false));
        let was_given_up = Arc::clone(&given_up);
        let task: Task = Box::new(move |store| {
            if !was_given_up.load(Ordering::Acquire) {
                // The asker may be gone meanwhile; the answer is dropped then.
                let _sent: Result<(), _> = answer.send(question(store));
            }
        });
        let gone = || SecretError::Failed("its library gave up".to_owned());
        self.tasks.send(task).map_err(|_| gone())?;
        match answered.recv_timeout(self.patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                given_up.store(true, Ordering::Release);
                Err(SecretError::TimedOut(self.patience))
            }
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
