use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Environment, Folders, Platform};

fn folders(platform: Platform, variables: &[(&str, &str)]) -> Folders {
    Folders::of(Environment::new(platform, |name| {
        let found = variables.iter().find(|(known, _)| *known == name)?;
        Some(OsString::from(found.1))
    }))
}

fn check(platform: Platform, variables: &[(&str, &str)], expect: [Option<&str>; 3]) {
    let found = folders(platform, variables);
    let expect = expect.map(|folder| folder.map(PathBuf::from));
    assert_eq!(
        [found.config, found.state, found.cache],
        expect,
        "{platform:?} {variables:?}"
    );
}

#[test]
fn each_platform_has_its_folders() {
    let home = ("HOME", "/home/ann");
    let in_home = [
        Some("/home/ann/.config/pilothouse"),
        Some("/home/ann/.local/state/pilothouse"),
        Some("/home/ann/.cache/pilothouse"),
    ];
    check(Platform::Xdg, &[home], in_home);
    // Empty and relative values are none: the specification says so.
    let odd = [home, ("XDG_CONFIG_HOME", ""), ("XDG_STATE_HOME", "here")];
    check(Platform::Xdg, &odd, in_home);
    let given = [
        home,
        ("XDG_CONFIG_HOME", "/c"),
        ("XDG_STATE_HOME", "/s"),
        ("XDG_CACHE_HOME", "/k"),
    ];
    let at = [
        Some("/c/pilothouse"),
        Some("/s/pilothouse"),
        Some("/k/pilothouse"),
    ];
    check(Platform::Xdg, &given, at);
    let library = Some("/home/ann/Library/Application Support/pilothouse");
    let caches = Some("/home/ann/Library/Caches/pilothouse");
    check(Platform::Apple, &given, [library, library, caches]);
    let windows = [home, ("APPDATA", "/roaming"), ("LOCALAPPDATA", "/local")];
    let at = [
        Some("/roaming/pilothouse"),
        Some("/local/pilothouse"),
        Some("/local/pilothouse/cache"),
    ];
    check(Platform::Windows, &windows, at);
}

#[test]
fn without_a_home_there_are_no_folders_but_those_named() {
    for platform in [Platform::Xdg, Platform::Apple, Platform::Windows] {
        check(platform, &[], [None, None, None]);
        check(
            platform,
            &[("HOME", ""), ("USERPROFILE", "")],
            [None, None, None],
        );
    }
    let state = [("XDG_STATE_HOME", "/s")];
    check(Platform::Xdg, &state, [None, Some("/s/pilothouse"), None]);
    let none = folders(Platform::Xdg, &[]);
    let files = [none.settings_file(), none.state_file(), none.journal_file()];
    assert_eq!(files, [None, None, None]);
}

#[test]
fn one_variable_puts_everything_under_one_folder() {
    for platform in [Platform::Xdg, Platform::Apple, Platform::Windows] {
        let given = [
            ("PILOTHOUSE_HOME", "/stick"),
            ("HOME", "/home/ann"),
            ("XDG_STATE_HOME", "/s"),
            ("APPDATA", "/roaming"),
        ];
        let at = [
            Some("/stick/config"),
            Some("/stick/state"),
            Some("/stick/cache"),
        ];
        check(platform, &given, at);
    }
    let under = Folders::under("/stick");
    assert_eq!(
        under.settings_file(),
        Some(PathBuf::from("/stick/config/settings.toml"))
    );
    assert_eq!(
        under.state_file(),
        Some(PathBuf::from("/stick/state/state.json"))
    );
}

#[test]
fn the_journal_of_earlier_versions_is_found_again() {
    let given = folders(Platform::Xdg, &[("HOME", "/h"), ("XDG_STATE_HOME", "/s")]);
    assert_eq!(
        given.journal_file(),
        Some(PathBuf::from("/s/pilothouse/journal.jsonl"))
    );
    let default = folders(Platform::Xdg, &[("HOME", "/h")]);
    assert_eq!(
        default.journal_file(),
        Some(PathBuf::from("/h/.local/state/pilothouse/journal.jsonl"))
    );
}

#[test]
fn paths_in_settings_count_from_home_or_from_their_file() {
    let ann = folders(Platform::Xdg, &[("HOME", "/home/ann")]);
    let resolve = |path| ann.environment().resolve(Path::new("/etc/p"), path);
    assert_eq!(resolve("~/ca.pem"), Path::new("/home/ann/ca.pem"));
    assert_eq!(resolve("ca.pem"), Path::new("/etc/p/ca.pem"));
    assert_eq!(resolve("/ca.pem"), Path::new("/ca.pem"));
    assert_eq!(resolve("~bob/ca.pem"), Path::new("/etc/p/~bob/ca.pem"));
}

#[cfg(unix)]
#[test]
fn a_home_that_is_no_text_is_a_home() {
    use std::os::unix::ffi::OsStringExt;

    let home = OsString::from_vec(b"/home/\xff".to_vec());
    let found = Folders::of(Environment::new(Platform::Xdg, |name| {
        (name == "HOME").then(|| home.clone())
    }));
    let expect = PathBuf::from(&home).join(".config/pilothouse");
    assert_eq!(found.config, Some(expect));
}
