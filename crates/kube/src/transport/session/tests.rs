use std::sync::atomic::AtomicUsize;

use super::*;
use crate::age::tests::{SetClock, still};
use crate::kubeconfig::{ConfigEnvironment, Exec};

/// A connector whose plugin is this script.
fn connector(script: &str) -> Connector {
    let server = Server::parse("https://c:1").unwrap();
    Connector::Config {
        config: Box::new(Config::new(server.url.clone())),
        certificate: None,
        access: Access::Plugin(Box::new(Plugin {
            config: Exec {
                command: "/bin/sh".to_owned(),
                args: vec!["-c".to_owned(), script.to_owned()],
                api_version: "client.authentication.k8s.io/v1beta1".to_owned(),
                interactive_mode: "Never".to_owned(),
                ..Exec::default()
            },
            cluster: None,
            timeout: Duration::from_secs(60),
            environment: ConfigEnvironment::default(),
        })),
        proof: Box::new(Proof::of(&User::default(), &server)),
        hint: None,
    }
}

/// A script that notes that it ran and answers a token.
fn answers(runs: &std::path::Path) -> String {
    format!(
        "echo run >> {}; echo '{{\"kind\": \"ExecCredential\", \"apiVersion\": \
         \"client.authentication.k8s.io/v1beta1\", \"status\": {{\"token\": \"t\"}}}}'",
        runs.display()
    )
}

fn n_runs(runs: &std::path::Path) -> usize {
    std::fs::read_to_string(runs).map_or(0, |text| text.lines().count())
}

#[tokio::test]
#[cfg(unix)]
async fn a_plugin_that_failed_runs_again_only_when_the_person_asks() {
    let folder = tempfile::TempDir::new().unwrap();
    let runs = folder.path().join("runs");
    let sessions = Sessions::new(
        connector(&format!("echo run >> {}; exit 1", runs.display())),
        still(),
    );
    assert_eq!(*sessions.state().borrow(), LoginState::Idle);
    let first = sessions.way().await.map(|_| ()).unwrap_err();
    assert_eq!(
        *sessions.state().borrow(),
        LoginState::Failed(first.clone())
    );
    tokio::time::pause();
    for _ in 0..3 {
        tokio::time::advance(LOGIN_PAUSE * 2).await;
        assert_eq!(sessions.way().await.map(|_| ()).unwrap_err(), first);
    }
    assert_eq!(n_runs(&runs), 1);
    tokio::time::resume();
    sessions.ask_again();
    assert!(sessions.way().await.is_err());
    assert_eq!(n_runs(&runs), 2);
}

#[tokio::test]
#[cfg(unix)]
async fn refused_credentials_are_fetched_again_once_and_no_more() {
    let folder = tempfile::TempDir::new().unwrap();
    let runs = folder.path().join("runs");
    let sessions = Sessions::new(connector(&answers(&runs)), still());
    let way = sessions
        .way()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(*sessions.state().borrow(), LoginState::Done);
    way.note_accepted();
    assert!(!sessions.renew(&way).await, "it has only just begun");
    tokio::time::pause();
    tokio::time::advance(LOGIN_PAUSE).await;
    tokio::time::resume();
    assert!(sessions.renew(&way).await);
    let again = sessions
        .way()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(n_runs(&runs), 2);
    assert!(sessions.renew(&way).await, "that session is over");
    tokio::time::pause();
    for _ in 0..3 {
        tokio::time::advance(LOGIN_PAUSE).await;
        assert!(!sessions.renew(&again).await);
    }
    assert!(matches!(*sessions.state().borrow(), LoginState::Failed(_)));
    assert_eq!(n_runs(&runs), 2);
}

#[tokio::test]
#[cfg(unix)]
async fn who_gives_up_waiting_does_not_end_the_plugin_and_cancelling_does() {
    let folder = tempfile::TempDir::new().unwrap();
    let runs = folder.path().join("runs");
    let script = format!("echo run >> {}; exec sleep 600", runs.display());
    let sessions = Sessions::new(connector(&script), still());
    let mut state = sessions.state();
    let is_waiting = |state: &LoginState| matches!(state, LoginState::Waiting { .. });
    tokio::select! {
        biased;
        way = sessions.way() => panic!("{:?}", way.map(|_| ())),
        seen = state.wait_for(is_waiting) => assert!(seen.is_ok()),
    }
    assert!(
        state
            .borrow()
            .remaining()
            .is_some_and(|left| left <= Duration::from_secs(60))
    );
    sessions.ask_again();
    sessions.cancel();
    let error = sessions.way().await.map(|_| ()).unwrap_err();
    assert!(error.message.contains("was cancelled"), "{error}");
    assert_eq!(*sessions.state().borrow(), LoginState::Failed(error));
    assert!(n_runs(&runs) <= 1);
}

#[tokio::test]
#[cfg(unix)]
async fn a_plugin_that_failed_runs_again_when_the_configuration_changed() {
    let folder = tempfile::TempDir::new().unwrap();
    let runs = folder.path().join("runs");
    let n_reads = Arc::new(AtomicUsize::new(0));
    let mut sessions = Sessions::new(connector("exit 1"), still());
    let (reads, script) = (Arc::clone(&n_reads), answers(&runs));
    sessions.renewed_by(move || {
        // The first look finds what was there before.
        let n_read = reads.fetch_add(1, Ordering::Relaxed);
        let mut connector = connector(if n_read == 0 { "exit 1" } else { &script });
        if let (1.., Connector::Config { proof, .. }) = (n_read, &mut connector) {
            proof.entry.token = "changed".to_owned();
        }
        Some(connector)
    });
    assert!(sessions.way().await.is_err());
    for is_in in [false, true] {
        tokio::time::pause();
        tokio::time::advance(LOGIN_PAUSE).await;
        tokio::time::resume();
        assert_eq!(sessions.way().await.is_ok(), is_in);
    }
    assert_eq!(n_runs(&runs), 1);
}

const HOUR: i64 = 3600;

/// A plugin whose credentials are good for an hour, at this moment of the day.
fn answers_for_an_hour(runs: &std::path::Path, now: Moment) -> String {
    let end = now.plus(pilothouse_core::model::TimeSpan::seconds(HOUR)).0;
    let end = jiff::Timestamp::from_millisecond(end).unwrap();
    let token = format!("{{\"token\": \"t\", \"expirationTimestamp\": \"{end}\"}}");
    answers(runs).replace("{\"token\": \"t\"}", &token)
}

struct Laptop {
    folder: tempfile::TempDir,
    day: SetClock,
    sessions: Sessions,
}

impl Laptop {
    /// Logged in, with credentials of an hour, a minute ago.
    async fn at_work() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let day = SetClock::at(Moment(1_790_000_000_000));
        let script = answers_for_an_hour(&folder.path().join("runs"), day.clock()());
        let sessions = Sessions::new(connector(&script), day.clock());
        let laptop = Self {
            folder,
            day,
            sessions,
        };
        laptop.asks().await.note_accepted();
        laptop.works(60).await;
        laptop
    }

    /// So many seconds pass by both clocks.
    async fn works(&self, seconds: u64) {
        self.day.jump(i64::try_from(seconds).unwrap());
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
    }

    /// From now on the plugin answers as the real time says.
    async fn plugin_answers_at(&self, real: Moment) {
        let runs = self.folder.path().join("runs");
        self.sessions.login.lock().await.connector = connector(&answers_for_an_hour(&runs, real));
    }

    async fn asks(&self) -> Way {
        let way = self.sessions.way().await;
        way.unwrap_or_else(|error| panic!("{error}"))
    }

    fn n_runs(&self) -> usize {
        n_runs(&self.folder.path().join("runs"))
    }
}

#[tokio::test]
#[cfg(unix)]
async fn after_hours_of_sleep_the_plugin_runs_once() {
    let laptop = Laptop::at_work().await;
    laptop.day.jump(9 * HOUR);
    laptop.plugin_answers_at(laptop.day.clock()()).await;
    for _ in 0..5 {
        laptop.asks().await.note_accepted();
        laptop.works(300).await;
    }
    assert_eq!(laptop.n_runs(), 2);
    laptop.works(3600).await;
    laptop.asks().await;
    assert_eq!(laptop.n_runs(), 3, "and again when its hour is over");
}

#[tokio::test]
#[cfg(unix)]
async fn a_login_just_before_the_sleep_is_renewed_when_the_server_refuses_it() {
    let laptop = Laptop::at_work().await;
    laptop.works(3600).await;
    let young = laptop.asks().await;
    young.note_accepted();
    assert_eq!(laptop.n_runs(), 2);
    laptop.day.jump(60);
    assert!(laptop.sessions.renew(&young).await, "a minute has passed");
    laptop.asks().await;
    assert_eq!(laptop.n_runs(), 3);
}

#[tokio::test]
#[cfg(unix)]
async fn a_clock_that_is_hours_ahead_is_no_loop_of_logins() {
    let laptop = Laptop::at_work().await;
    let real = laptop.day.clock()();
    laptop.day.jump(9 * HOUR);
    laptop.plugin_answers_at(real).await;
    for _ in 0..20 {
        laptop.asks().await.note_accepted();
        laptop.works(60).await;
    }
    assert_eq!(laptop.n_runs(), 2);
}

#[tokio::test]
#[cfg(unix)]
async fn a_clock_that_is_set_back_does_not_keep_a_login_alive() {
    let laptop = Laptop::at_work().await;
    laptop.day.jump(-HOUR);
    laptop.asks().await.note_accepted();
    assert_eq!(laptop.n_runs(), 1);
    laptop.works(3600).await;
    laptop.asks().await;
    assert_eq!(laptop.n_runs(), 2);
}
