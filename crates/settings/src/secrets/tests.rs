use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use proptest::prelude::*;

use super::{Kind, MemoryStore, PATIENCE, Purpose, SecretError, SecretKey, SecretStore, Secrets};
use crate::{ContextKey, Secret};

/// Stands in for a secret: it must show up nowhere.
const CANARY: &str = "c4n4ry-t0k3n";

fn key(name: &str, file: &str) -> SecretKey {
    SecretKey::new(ContextKey::new(name, Some(file.into())), Purpose::Metrics)
}

fn secret() -> Secret {
    Secret::new(CANARY.to_owned())
}

#[test]
fn a_secret_is_kept_for_its_context_and_purpose_alone() {
    let secrets = Secrets::in_memory().unwrap();
    let ours = key("prod", "/k/one");
    assert_eq!(secrets.get(&ours), Ok(None));
    secrets.set(&ours, &secret()).unwrap();
    assert_eq!(secrets.get(&ours), Ok(Some(secret())));
    let others = [
        key("prod", "/k/two"),
        key("prod2", "/k/one"),
        SecretKey {
            purpose: Purpose::Traces,
            ..ours.clone()
        },
        SecretKey {
            index: 1,
            ..ours.clone()
        },
        SecretKey::new(ContextKey::new("prod", None), Purpose::Metrics),
    ];
    for other in others {
        assert_eq!(secrets.get(&other), Ok(None), "{other:?}");
        assert_ne!(other.account(), ours.account());
    }
    secrets
        .clone()
        .set(&ours, &Secret::new("new".to_owned()))
        .unwrap();
    assert_eq!(secrets.get(&ours).unwrap().unwrap().expose(), "new");
    secrets.delete(&ours).unwrap();
    secrets.delete(&ours).unwrap();
    assert_eq!(secrets.get(&ours), Ok(None));
}

#[test]
fn nothing_prints_a_secret() {
    let store = MemoryStore::default();
    store.set(&key("a", "/k"), &secret()).unwrap();
    let secrets = Secrets::in_memory().unwrap();
    secrets.set(&key("a", "/k"), &secret()).unwrap();
    let found = secrets.get(&key("a", "/k"));
    let printed = format!("{store:?} {secrets:?} {found:?} {:?}", secret());
    assert!(!printed.contains(CANARY), "{printed}");
}

#[test]
fn accounts_are_short_and_stable() {
    let long = key(&"ä".repeat(400), "/k").account();
    assert!(long.chars().count() < 150, "{long}");
    assert!(!key("a\nb\0", "/k").account().chars().any(char::is_control));
    // Written into keychains: another number would lose what people entered.
    assert_eq!(
        key("prod-eu", "/home/ann/.kube/config").account(),
        "metrics of prod-eu (e020e6694cad8e6e2ba09e675a941f9a)"
    );
}

#[test]
fn without_a_keychain_memory_does_and_says_why() {
    let opener = || Err(SecretError::Failed("no bus".to_owned()));
    let (secrets, kind) = Secrets::open_with(Box::new(opener), PATIENCE).unwrap();
    assert_eq!(
        kind,
        Kind::MemoryOnly("the keychain failed: no bus".to_owned())
    );
    secrets.set(&key("a", "/k"), &secret()).unwrap();
    assert_eq!(secrets.get(&key("a", "/k")), Ok(Some(secret())));
}

#[test]
fn a_keychain_that_never_opens_is_not_waited_for() {
    let (_held, never) = mpsc::channel::<()>();
    let opener = move || {
        let _closed = never.recv();
        Err(SecretError::Failed("late".to_owned()))
    };
    let (secrets, kind) = Secrets::open_with(Box::new(opener), Duration::from_millis(1)).unwrap();
    let Kind::MemoryOnly(reason) = kind else {
        panic!("it never opened")
    };
    assert!(reason.contains("did not answer"), "{reason}");
    // Memory answers at once, but not within a millisecond on a busy machine.
    let secrets = Secrets {
        patience: PATIENCE,
        ..secrets
    };
    assert_eq!(secrets.get(&key("a", "/k")), Ok(None));
}

/// A keychain that is locked until it is told otherwise, and remembers what it was asked.
struct Locked {
    unlock: Mutex<Receiver<()>>,
    asked: Sender<&'static str>,
}

impl Locked {
    fn wait(&self, what: &'static str) {
        self.asked.send(what).unwrap();
        self.unlock.lock().unwrap().recv().unwrap();
    }
}

impl SecretStore for Locked {
    fn get(&self, _: &SecretKey) -> Result<Option<Secret>, SecretError> {
        self.wait("get");
        Ok(Some(secret()))
    }

    fn set(&self, _: &SecretKey, _: &Secret) -> Result<(), SecretError> {
        self.wait("set");
        Ok(())
    }

    fn delete(&self, _: &SecretKey) -> Result<(), SecretError> {
        self.wait("delete");
        Ok(())
    }
}

#[test]
fn a_locked_keychain_holds_nobody_up() {
    let (unlock, unlocked) = mpsc::channel();
    let (asked, questions) = mpsc::channel();
    let locked = Locked {
        unlock: Mutex::new(unlocked),
        asked,
    };
    let (secrets, kind) = Secrets::open_with(Box::new(|| Ok(Box::new(locked))), PATIENCE).unwrap();
    assert_eq!(kind, Kind::Keychain);
    let hasty = Secrets {
        patience: Duration::from_millis(1),
        ..secrets.clone()
    };
    std::thread::scope(|scope| {
        let patient = scope.spawn(|| secrets.get(&key("a", "/k")));
        assert_eq!(questions.recv(), Ok("get"));
        let late = SecretError::TimedOut(Duration::from_millis(1));
        assert_eq!(hasty.get(&key("a", "/k")), Err(late.clone()));
        // Given up while the first still waits for the password: it must not happen behind the person's back.
        assert_eq!(hasty.set(&key("a", "/k"), &secret()), Err(late));
        unlock.send(()).unwrap();
        assert_eq!(patient.join().unwrap(), Ok(Some(secret())));
    });
    unlock.send(()).unwrap();
    secrets.delete(&key("a", "/k")).unwrap();
    drop((secrets, hasty));
    assert_eq!(questions.iter().collect::<Vec<_>>(), ["delete"]);
}

#[test]
fn a_store_that_dies_is_an_error() {
    struct Dying;
    impl SecretStore for Dying {
        fn get(&self, _: &SecretKey) -> Result<Option<Secret>, SecretError> {
            panic!("as libraries do")
        }
        fn set(&self, _: &SecretKey, _: &Secret) -> Result<(), SecretError> {
            Ok(())
        }
        fn delete(&self, _: &SecretKey) -> Result<(), SecretError> {
            Ok(())
        }
    }
    let (secrets, _) = Secrets::open_with(Box::new(|| Ok(Box::new(Dying))), PATIENCE).unwrap();
    for _ in 0..2 {
        assert!(matches!(
            secrets.get(&key("a", "/k")),
            Err(SecretError::Failed(_))
        ));
    }
}

proptest! {
    #[test]
    fn no_two_keys_share_an_account(a in ("[ab]{0,3}", "[ab/]{0,3}", 0..3_usize), b in ("[ab]{0,3}", "[ab/]{0,3}", 0..3_usize)) {
        let of = |parts: &(String, String, usize)| SecretKey { index: parts.2, ..key(&parts.0, &parts.1) };
        prop_assert_eq!(of(&a) == of(&b), of(&a).account() == of(&b).account());
    }
}
