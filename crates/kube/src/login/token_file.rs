//! A bearer token in a file of its own, which somebody renews.
//!
//! Source: `NewCachedFileTokenSource` of `k8s.io/client-go/transport` (`token_source.go`): white space around the token is
//! no part of it, it is read again at least once a minute, and the last one that could be read stays.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::header::HeaderValue;
use pilothouse_core::ports::Clock;
use tokio::sync::Mutex;

use super::bearer;
use crate::age::Since;
use crate::kubeconfig::read;

/// A token younger than this is not read again.
const FRESH: Duration = Duration::from_secs(10);

/// The file and what was last read of it. Holds a secret: not `Debug`.
pub(crate) struct TokenFile {
    path: PathBuf,
    clock: Clock,
    last: Mutex<(Since, HeaderValue)>,
}

impl TokenFile {
    /// Reads the file; where it cannot be read the token of the entry itself is used, if there is one.
    pub(super) fn open(
        path: &Path,
        fallback: Option<HeaderValue>,
        clock: &Clock,
    ) -> Result<Self, String> {
        let token = match (read_token(path), fallback) {
            (Ok(token), _) | (Err(_), Some(token)) => token,
            (Err(why), None) => return Err(why),
        };
        Ok(Self {
            path: path.to_owned(),
            clock: Clock::clone(clock),
            last: Mutex::new((Since::now(clock), token)),
        })
    }

    /// The token as a header, read again if it was read a while ago.
    pub(crate) async fn header(&self) -> HeaderValue {
        let mut last = self.last.lock().await;
        if last.0.elapsed() >= FRESH {
            let path = self.path.clone();
            let read = tokio::task::spawn_blocking(move || read_token(&path)).await;
            last.0 = Since::now(&self.clock);
            if let Ok(Ok(token)) = read {
                last.1 = token;
            }
        }
        last.1.clone()
    }
}

fn read_token(path: &Path) -> Result<HeaderValue, String> {
    let bytes = read::bytes(path)
        .map_err(|error| format!("failed to read token file \"{}\": {error}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    match text.trim() {
        "" => Err(format!("read empty token from file \"{}\"", path.display())),
        token => bearer(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::age::tests::{SetClock, still};

    #[tokio::test(start_paused = true)]
    async fn a_renewed_token_is_sent_and_a_lost_file_keeps_the_last_one() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let file = TokenFile::open(&path, None, &still()).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(file.header().await, "Bearer first");
        std::fs::write(&path, " second\r\n").unwrap();
        assert_eq!(file.header().await, "Bearer first");
        tokio::time::advance(FRESH).await;
        assert_eq!(file.header().await, "Bearer second");
        std::fs::remove_file(&path).unwrap();
        tokio::time::advance(FRESH).await;
        assert_eq!(file.header().await, "Bearer second");
    }

    #[tokio::test(start_paused = true)]
    async fn after_hours_of_sleep_the_first_request_has_the_token_of_today() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "yesterday").unwrap();
        let day = SetClock::at(pilothouse_core::model::Moment(0));
        let open = TokenFile::open(&path, None, &day.clock());
        let file = open.unwrap_or_else(|why| panic!("{why}"));
        std::fs::write(&path, "today").unwrap();
        day.jump(9 * 3600);
        assert_eq!(file.header().await, "Bearer today");
        // A clock that is set back keeps nobody from reading it again.
        std::fs::write(&path, "later").unwrap();
        day.jump(-3600);
        tokio::time::advance(FRESH).await;
        assert_eq!(file.header().await, "Bearer later");
    }
}
