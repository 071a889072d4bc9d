use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use super::home_with;
use crate::{
    Auth, ContextKey, EditError, Folders, Location, Problem, ProblemKind, Settings, SettingsFile,
    SourceSettings, Theme,
};

type Change<'a> = &'a dyn Fn(&mut crate::Draft);

fn edited(text: &str, change: impl Fn(&mut crate::Draft)) -> String {
    let (_home, folders, file) = home_with(text);
    SettingsFile::of(&folders).unwrap().edit(change).unwrap();
    fs::read_to_string(file).unwrap()
}

fn refused(error: EditError) -> Problem {
    match error {
        EditError::Refused(problem) => *problem,
        EditError::Disk(_) | EditError::Changing { .. } => panic!("{error}"),
    }
}

fn address(address: &str) -> SourceSettings {
    SourceSettings {
        location: Some(Location::Address(address.to_owned())),
        ..SourceSettings::default()
    }
}

#[test]
fn the_first_change_makes_folder_and_file_for_their_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::under(home.path().join("deep/er"));
    let settings = SettingsFile::of(&folders)
        .unwrap()
        .edit(|d| d.set_theme(Theme::Dark))
        .unwrap();
    assert_eq!(settings.theme, Theme::Dark);
    let file = folders.settings_file().unwrap();
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "[appearance]\ntheme = \"dark\"\n"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(file.parent().unwrap()), 0o700);
    }
}

#[test]
fn comments_order_and_unknown_keys_stay() {
    let text = "# mine\nfuture = [1, 2] # soon\n\n[refresh] # slow\ntick_s = 20   # twenty\n\n[appearance]\n# dark\ntheme   = 'dark' # eyes\n";
    let after = edited(text, |draft| {
        draft.set_theme(Theme::Light);
        draft.set_tick_s(30);
    });
    let expect = text.replace("'dark'", "\"light\"").replace("20 ", "30 ");
    assert_eq!(after, expect);
}

#[test]
fn line_ends_of_windows_stay() {
    let after = edited("# a\r\n[appearance]\r\ntheme = \"dark\"\r\n", |draft| {
        draft.set_theme(Theme::Light);
        draft.set_window_s(90);
    });
    assert_eq!(
        after,
        "# a\r\n[appearance]\r\ntheme = \"light\"\r\n\r\n[refresh]\r\nwindow_s = 90\r\n"
    );
}

#[test]
fn a_change_of_nothing_writes_nothing() {
    let (_home, folders, file) = home_with("[appearance]\ntheme = \"dark\"\n");
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    SettingsFile::of(&folders)
        .unwrap()
        .edit(|d| d.set_theme(Theme::Dark))
        .unwrap();
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
}

#[test]
fn a_broken_file_is_left_untouched() {
    for text in [&b"[appearance\n"[..], b"a = \"\xff\"\n"] {
        let (_home, folders, file) = home_with("");
        fs::write(&file, text).unwrap();
        let error = SettingsFile::of(&folders)
            .unwrap()
            .edit(|d| d.set_theme(Theme::Dark))
            .unwrap_err();
        let problem = refused(error);
        assert_eq!(problem.kind, ProblemKind::Broken);
        assert_eq!(problem.place.unwrap().line, 1);
        assert_eq!(fs::read(&file).unwrap(), text);
    }
}

#[test]
fn a_change_that_would_be_complained_about_is_refused() {
    let (_home, folders, file) = home_with("[refresh]\ntick_s = 0\n");
    let settings = SettingsFile::of(&folders).unwrap();
    // What was wrong before does not stop a good change.
    settings.edit(|d| d.set_theme(Theme::Dark)).unwrap();
    let before = fs::read_to_string(&file).unwrap();
    let key = ContextKey::new("a", None);
    let bad: [(Change<'_>, ProblemKind); 5] = [
        (&|d| d.set_zoom(f64::NAN), ProblemKind::NotAllowed),
        (&|d| d.set_window_s(1), ProblemKind::NotAllowed),
        (
            &|d| d.set_context_class(&key, Some("none")),
            ProblemKind::NotAllowed,
        ),
        (
            &|d| d.set_context_metrics(&key, Some(&address("https://u:hush@h"))),
            ProblemKind::SecretInFile,
        ),
        (
            &|d| d.set_context_metrics(&key, Some(&address("nowhere"))),
            ProblemKind::NotAllowed,
        ),
    ];
    for (change, kind) in bad {
        let problem = refused(settings.edit(change).unwrap_err());
        assert_eq!(problem.kind, kind);
        assert!(!format!("{problem} {problem:?}").contains("hush"));
        assert_eq!(fs::read_to_string(&file).unwrap(), before);
    }
}

#[test]
fn what_is_no_table_is_not_overwritten() {
    for text in ["appearance = 5\n", "context = 5\n"] {
        let (_home, folders, file) = home_with(text);
        let settings = SettingsFile::of(&folders).unwrap();
        let key = ContextKey::new("a", None);
        let error = settings.edit(|d| {
            d.set_theme(Theme::Dark);
            d.set_context_class(&key, Some("demo"));
        });
        assert_eq!(refused(error.unwrap_err()).kind, ProblemKind::NotAllowed);
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn what_another_program_writes_meanwhile_is_kept() {
    let (_home, folders, file) = home_with("");
    let turns = AtomicU32::new(0);
    let settings = SettingsFile::of(&folders).unwrap().edit(|draft| {
        if turns.fetch_add(1, Ordering::Relaxed) == 0 {
            fs::write(&file, "# by an editor\n[refresh]\ntick_s = 42\n").unwrap();
        }
        draft.set_theme(Theme::Dark);
    });
    assert_eq!(turns.into_inner(), 2);
    let settings = settings.unwrap();
    assert_eq!((settings.theme, settings.tick_s), (Theme::Dark, 42));
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .starts_with("# by an editor\n")
    );
}

#[test]
fn a_file_that_never_rests_is_given_up() {
    let (_home, folders, file) = home_with("");
    let turns = AtomicU32::new(0);
    let result = SettingsFile::of(&folders).unwrap().edit(|draft| {
        let turn = turns.fetch_add(1, Ordering::Relaxed);
        fs::write(&file, format!("# {turn}\n")).unwrap();
        draft.set_theme(Theme::Dark);
    });
    assert!(matches!(result, Err(EditError::Changing { .. })));
    assert!(!fs::read_to_string(&file).unwrap().contains("theme"));
}

#[test]
fn threads_that_write_at_once_lose_nothing() {
    let (_home, folders, _) = home_with("");
    std::thread::scope(|scope| {
        for turn in 0..8 {
            let file = SettingsFile::of(&folders).unwrap();
            scope.spawn(move || {
                let path = format!("/kc/{turn}");
                file.edit(|draft| draft.add_kubeconfig_file(Path::new(&path)))
                    .unwrap();
            });
        }
    });
    let (settings, problems) = Settings::load(&folders);
    assert_eq!((settings.kubeconfig_files.len(), problems.len()), (8, 0));
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let (home, folders, file) = home_with("");
    fs::remove_file(&file).unwrap();
    let dotfiles = home.path().join("dotfiles");
    fs::create_dir(&dotfiles).unwrap();
    let real = dotfiles.join("pilothouse.toml");
    std::os::unix::fs::symlink("../dotfiles/pilothouse.toml", &file).unwrap();
    let settings = SettingsFile::of(&folders).unwrap();
    // Even one that leads to nothing yet.
    settings.edit(|d| d.set_theme(Theme::Dark)).unwrap();
    settings.edit(|d| d.set_tick_s(20)).unwrap();
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
    let beside = fs::read_dir(&dotfiles).unwrap().count();
    assert_eq!(beside, 1, "nothing of ours is left in the repository");
    assert!(fs::read_to_string(&real).unwrap().contains("tick_s = 20"));
    assert_eq!(Settings::load(&folders).0.theme, Theme::Dark);
}

#[test]
fn kubeconfigs_are_added_once_and_taken_out() {
    let (_home, folders, file) = home_with("[kubeconfig]\nfiles = [\n  \"/a\", # first\n]\n");
    let settings = SettingsFile::of(&folders).unwrap();
    for path in ["/b", "/a", "/b"] {
        settings
            .edit(|d| d.add_kubeconfig_file(Path::new(path)))
            .unwrap();
    }
    assert_eq!(
        Settings::load(&folders).0.kubeconfig_files,
        [Path::new("/a"), Path::new("/b")]
    );
    assert!(fs::read_to_string(&file).unwrap().contains("# first"));
    let after = settings
        .edit(|d| d.remove_kubeconfig_file(Path::new("/b")))
        .unwrap();
    assert_eq!(after.kubeconfig_files, [Path::new("/a")]);
}

#[test]
fn a_source_is_changed_in_place() {
    let text = "[context.a]\n# why\nmetrics = { address = \"http://old\", future = 1 } # here\n\n[context.a.traces]\nkind = \"jaeger\" # ours\nfuture = 2\n";
    let key = ContextKey::new("a", Some("/kc".into()));
    let source = SourceSettings {
        auth: Auth::Keychain,
        ..address("http://new")
    };
    let after = edited(text, |draft| draft.set_context_metrics(&key, Some(&source)));
    assert!(
        after.contains("\"http://new\"") && after.contains("future = 1"),
        "{after}"
    );
    assert!(
        after.contains("# why") && after.contains("secret = \"keychain\""),
        "{after}"
    );
    let after = edited(text, |draft| {
        draft.set_context_traces(&key, &[address("http://t"), address("http://u")]);
    });
    assert!(
        after.contains("future = 2") && after.contains("[[context.a.traces]]"),
        "{after}"
    );
    let after = edited(text, |draft| draft.set_context_traces(&key, &[]));
    assert!(!after.contains("traces"), "{after}");
}

#[test]
fn namesakes_get_tables_of_their_own() {
    let (_home, folders, _) = home_with("");
    let settings = SettingsFile::of(&folders).unwrap();
    let keys = ["/k/one", "/k/two"].map(|file| ContextKey::new("default", Some(file.into())));
    for (key, class) in keys.iter().zip(["production", "demo"]) {
        settings
            .edit(|d| d.set_context_class(key, Some(class)))
            .unwrap();
    }
    let (loaded, problems) = Settings::load(&folders);
    assert_eq!(problems, []);
    let classes = keys.map(|key| loaded.context(&key).unwrap().class.clone().unwrap());
    assert_eq!(classes, ["production", "demo"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("config"), "in the way").unwrap();
    let folders = Folders::under(home.path());
    let error = SettingsFile::of(&folders)
        .unwrap()
        .edit(|d| d.set_theme(Theme::Dark))
        .unwrap_err();
    assert!(matches!(error, EditError::Disk(_)));
    assert!(error.to_string().contains("config"), "{error}");
}

#[test]
fn any_key_is_set_and_taken_out_by_its_name() {
    let text = "[refresh]\ntick_s = 12 # mine\nfuture = 1\n";
    let set = |key: &str, value: Option<&str>| {
        let (key, value) = (key.to_owned(), value.map(str::to_owned));
        edited(text, move |draft| draft.set_key(&key, value.as_deref()))
    };
    assert_eq!(set("refresh.tick_s", Some("20")), text.replace("12", "20"));
    let gone = set("refresh.tick_s", None);
    assert!(
        !gone.contains("tick_s") && gone.contains("future = 1"),
        "{gone}"
    );
    let context = set("context.\"arn:aws:eks/prod\".class", Some("production"));
    assert!(
        context.contains("[context.\"arn:aws:eks/prod\"]\nclass = \"production\""),
        "{context}"
    );
    let list = set("context.a.namespaces", Some("[\"shop\", \"pay\"]"));
    assert!(list.contains("namespaces = [\"shop\", \"pay\"]"), "{list}");
    // What is not there is not made to be taken out.
    assert_eq!(set("health.error_failing", None), text);
}

#[test]
fn a_key_that_nobody_reads_or_a_value_that_it_does_not_take_is_refused() {
    let refused = [
        ("refresh.tock", "3"),
        ("refresh.tick_s", "often"),
        ("refresh.tick_s", "1"),
        ("refresh", "3"),
        ("appearance.theme", "purple"),
        ("context.a.metrics.token", "canary-secret"),
        ("class.colour", "red"),
        ("a b", "1"),
    ];
    for (key, value) in refused {
        let (_home, folders, _) = home_with("[[class]]\nname = \"x\"\n");
        let file = SettingsFile::of(&folders).unwrap();
        let error = file
            .edit(|draft| draft.set_key(key, Some(value)))
            .unwrap_err();
        assert!(matches!(error, EditError::Refused(_)), "{key}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}
