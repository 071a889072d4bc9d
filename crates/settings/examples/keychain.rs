//! Writes, reads and deletes one entry in the system's keychain: says whether it works on this machine.

use std::error::Error;
use std::io::{Write, stdout};

use pilothouse_settings::{ContextKey, Kind, PATIENCE, Purpose, Secret, SecretKey, Secrets};

fn main() -> Result<(), Box<dyn Error>> {
    let (secrets, kind) = Secrets::open(PATIENCE)?;
    if let Kind::MemoryOnly(reason) = kind {
        return Err(format!("secrets would be kept in memory: {reason}").into());
    }
    let context = ContextKey::new("pilothouse-keychain-example", None);
    let key = SecretKey::new(context, Purpose::Metrics);
    for text in ["first", "second"] {
        secrets.set(&key, &Secret::new(text.to_owned()))?;
        let found = secrets.get(&key)?;
        if found.as_ref().map(Secret::expose) != Some(text) {
            return Err("the keychain answers another secret than it was given".into());
        }
    }
    secrets.delete(&key)?;
    if secrets.get(&key)?.is_some() {
        return Err("the keychain keeps what was deleted".into());
    }
    writeln!(stdout(), "the keychain works")?;
    Ok(())
}
