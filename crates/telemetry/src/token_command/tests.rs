#![cfg(unix)] // What runs is `/bin/sh`.

use std::path::Path;

use super::*;

/// A shell script that notes each run in a file beside it and then does this.
fn script(folder: &Path, does: &str) -> TokenCommand {
    let log = folder.join("runs");
    let text = format!("echo run >>'{}'; {does}", log.display());
    TokenCommand::new("/bin/sh", ["-c".to_owned(), text])
}

fn runs(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("runs")).map_or(0, |text| text.lines().count())
}

fn header(text: &str) -> HeaderValue {
    bearer(text.as_bytes()).unwrap()
}

#[tokio::test]
async fn all_who_ask_share_one_run_and_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let command = script(folder.path(), "printf ' t0ken\\n\\n'");
    let clone = command.clone();
    let (a, b) = tokio::join!(command.header(), clone.header());
    assert!(a.is_ok_and(|found| found == header("t0ken")));
    assert!(b.is_ok_and(|found| found == header("t0ken")));
    assert_eq!(runs(folder.path()), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_again_only_after_it_was_good() {
    let folder = tempfile::tempdir().unwrap();
    let command = script(
        folder.path(),
        &format!("wc -l <'{}'", folder.path().join("runs").display()),
    );
    let one = command.header().await.ok().unwrap();
    let two = command.after_refusal(&one).await.ok().unwrap().unwrap();
    assert_eq!((&one, &two), (&header("1"), &header("2")));
    // Somebody else who was refused with the old one gets the new one, without a run.
    assert_eq!(
        command.after_refusal(&one).await.ok().unwrap(),
        Some(two.clone())
    );
    assert_eq!(command.after_refusal(&two).await.ok().unwrap(), None);
    assert_eq!(runs(folder.path()), 2);
    // It was good for a while, and then expired.
    command.accepted(&two);
    let three = command.after_refusal(&two).await.ok().unwrap();
    assert_eq!(three, Some(header("3")));
}

#[tokio::test]
async fn the_same_token_again_is_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let command = script(folder.path(), "echo same");
    let one = command.header().await.ok().unwrap();
    assert_eq!(command.after_refusal(&one).await.ok().unwrap(), None);
    assert_eq!(command.after_refusal(&one).await.ok().unwrap(), None);
    assert_eq!(runs(folder.path()), 2);
}

#[tokio::test]
async fn a_command_that_fails_says_how_and_does_not_run_again_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("echo s3cret; echo s3cret >&2; exit 7", "exit status: 7"),
        ("true", "printed something that is no token"),
        ("printf 'a\\nb'", "printed something that is no token"),
        ("yes s3cret", "printed something that is no token"),
        // Nothing comes from standard input: it ends at once.
        ("cat; exit 3", "exit status: 3"),
    ];
    for (i, (does, what)) in cases.into_iter().enumerate() {
        let folder = folder.path().join(i.to_string());
        std::fs::create_dir(&folder).unwrap();
        let command = script(&folder, does);
        for _ in 0..2 {
            let problem = command.header().await.err().unwrap();
            assert!(
                problem.message.contains(what),
                "{does}: {}",
                problem.message
            );
            let all = format!("{}{}{command:?}", problem.message, problem.hint);
            assert!(!all.contains("s3cret"), "{all}");
        }
        assert_eq!(runs(&folder), 1, "{does}");
        command.forget().await;
        assert!(command.header().await.is_err());
        assert_eq!(runs(&folder), 2, "{does}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let command = TokenCommand::new("no-such-program-anywhere", ["--password=s3cret"]);
    let problem = command.header().await.err().unwrap();
    assert_eq!(problem.kind, SourceErrorKind::BadConfiguration);
    assert!(
        problem.message.contains("no-such-program-anywhere"),
        "{}",
        problem.message
    );
    assert!(!format!("{command:?}").contains("s3cret"));
}

#[tokio::test]
async fn the_program_is_found_on_the_given_path() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("mint");
    std::fs::write(&program, "#!/bin/sh\necho minted\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let command = TokenCommand::new("mint", [""; 0]).with_path(folder.path());
    assert!(
        command
            .header()
            .await
            .is_ok_and(|found| found == header("minted"))
    );
}

#[tokio::test]
async fn a_slow_command_ends_at_its_deadline_and_one_that_nobody_waits_for_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = script(folder.path(), "exec sleep 600");
    command.deadline = Duration::from_millis(100);
    let problem = command.header().await.err().unwrap();
    assert_eq!(problem.kind, SourceErrorKind::TimedOut);
    assert!(
        problem.message.contains("within 0.1 s"),
        "{}",
        problem.message
    );

    let command = script(folder.path(), "exec sleep 600");
    let given_up = tokio::time::timeout(Duration::from_millis(100), command.header()).await;
    assert!(given_up.is_err());
    let problem = command.header().await.err().unwrap();
    assert!(problem.message.contains("given up"), "{}", problem.message);
}
