use std::fs;

use super::{DiskError, Lock, follow, read};

#[test]
fn reading_stops_at_the_cap() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("f");
    assert_eq!(read(&file, 4).unwrap(), None);
    fs::write(&file, "1234").unwrap();
    assert_eq!(read(&file, 4).unwrap().unwrap(), b"1234");
    assert!(matches!(
        read(&file, 3),
        Err(DiskError::TooLarge { cap: 3, .. })
    ));
    assert!(matches!(
        read(home.path(), 4),
        Err(DiskError::NotAFile { .. })
    ));
    // `f` is no folder.
    assert!(matches!(
        read(&file.join("g"), 4),
        Err(DiskError::System { .. })
    ));
}

#[test]
fn a_process_killed_before_the_rename_leaves_the_old_content() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("f");
    fs::write(&file, "old").unwrap();
    {
        let lock = Lock::take(&file).unwrap();
        // Killed: nothing of ours runs any more, neither the rename nor the removal.
        std::mem::forget(lock.stage(b"half").unwrap());
    }
    assert_eq!(fs::read(&file).unwrap(), b"old");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 3);
    Lock::take(&file)
        .unwrap()
        .stage(b"new")
        .unwrap()
        .commit()
        .unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"new");
    // The file and its lock: what the killed one left is gone.
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
}

#[test]
fn what_is_not_committed_is_taken_away() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("f");
    let lock = Lock::take(&file).unwrap();
    drop(lock.stage(b"never").unwrap());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn one_at_a_time_and_waiting_ends() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("f");
    let held = Lock::take(&file).unwrap();
    let error = Lock::take_within(&file, 1).unwrap_err();
    assert!(matches!(error, DiskError::Busy { .. }));
    assert!(error.to_string().contains("try again"));
    drop(held);
    Lock::take_within(&file, 1).unwrap();
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_are_an_error() {
    let home = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| home.path().join(name));
    std::os::unix::fs::symlink(&a, &b).unwrap();
    std::os::unix::fs::symlink(&b, &a).unwrap();
    assert!(follow(&a).unwrap_err().to_string().contains("circle"));
    assert!(read(&a, 1).is_err());
    assert!(Lock::take(&a).is_err());
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("s");
    let _held = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert!(matches!(read(&socket, 1), Err(DiskError::NotAFile { .. })));
}
