use std::path::{Path, PathBuf};

use super::{home_with, parse, told};
use crate::{
    Auth, Confirm, ContextFacts, ContextKey, Folders, Location, ProblemKind, ServiceAddress,
    Settings, Theme, TraceKind,
};

/// Stands in for a secret: it must show up nowhere.
const CANARY: &str = "c4n4ry-t0k3n";

#[test]
fn without_a_file_the_defaults_hold() {
    let home = tempfile::tempdir().unwrap();
    let (settings, problems) = Settings::load(&Folders::under(home.path()));
    assert_eq!(settings, Settings::default());
    assert_eq!(problems, []);
    // Reading makes nothing.
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn without_a_home_the_defaults_hold_and_it_is_said() {
    let nowhere = Folders::of(crate::Environment::new(crate::Platform::Xdg, |_| None));
    let (settings, problems) = Settings::load(&nowhere);
    assert_eq!(settings, Settings::default());
    assert_eq!(told(&problems), [(ProblemKind::NoFolder, "", 0)]);
    assert!(problems[0].to_string().contains("PILOTHOUSE_HOME"));
}

#[test]
fn every_part_is_read() {
    let (settings, problems) = parse(
        r##"
appearance = { theme = "light", zoom = 2 }
[refresh]
tick_s = 30
window_s = 300
[health]
error_degraded = 0.02
error_failing = 0.1
latency_degraded_ms = 250
latency_failing_ms = 1000.5
[kubeconfig]
files = ["extra.yaml", "/abs/kc"]
[[class]]
name = "bank"
patterns = ["*.bank.example"]
colour = "#ff0000"
confirm = "name"
[context."prod-eu"]
file = "kc"
class = "bank"
colour = "teal"
namespaces = ["shop", "pay"]
metrics = { service = "mon/vmselect:8481", base_path = "/select/0/prometheus", https = true, tenant = "t1" }
[[context."prod-eu".traces]]
kind = "tempo"
address = "https://tempo.example/base"
headers = { X-Team = "a" }
token_file = "token"
ca_file = "ca.pem"
[[context."prod-eu".traces]]
address = "http://[::1]:16686"
user = "ann"
secret = "keychain"
"##,
    );
    assert_eq!(told(&problems), []);
    assert_eq!((settings.theme, settings.zoom), (Theme::Light, 2.0));
    assert_eq!((settings.tick_s, settings.window_s), (30, 300));
    assert_eq!(
        (settings.thresholds.degraded, settings.thresholds.failing),
        (0.02, 0.1)
    );
    assert_eq!(settings.thresholds.latency_failing_ms, Some(1000.5));
    let files = ["/p/config/extra.yaml", "/abs/kc"].map(PathBuf::from);
    assert_eq!(settings.kubeconfig_files, files);
    assert_eq!(settings.classes[0].name, "bank");
    assert_eq!(settings.classes[0].confirm, Confirm::Name);
    assert_eq!(settings.classes.len(), 5, "the built-in ones follow");
    let context = &settings.contexts[0];
    let service = ServiceAddress {
        base_path: "/select/0/prometheus".to_owned(),
        https: true,
        ..ServiceAddress::parse("mon/vmselect:8481").unwrap()
    };
    let metrics = context.metrics.as_ref().unwrap();
    assert_eq!(metrics.location, Some(Location::Service(service)));
    assert_eq!(metrics.tenant.as_deref(), Some("t1"));
    let [tempo, jaeger] = context.traces.as_slice() else {
        panic!("two sources of traces")
    };
    assert_eq!(tempo.kind, Some(TraceKind::Tempo));
    assert_eq!(tempo.auth, Auth::TokenFile("/p/config/token".into()));
    assert_eq!(tempo.headers["X-Team"], "a");
    assert_eq!(jaeger.auth, Auth::Keychain);
    assert_eq!(jaeger.user.as_deref(), Some("ann"));
}

#[test]
fn a_wrong_value_costs_only_itself() {
    let (settings, problems) = parse(
        r#"appearance.theme = "dakr"
appearance.zoom = 9
[refresh]
tick_s = "soon"
window_s = 120
[health]
error_degraded = 0.5
[kubeconfig]
files = "one"
[[class]]
words = ["nameless"]
[[class]]
name = "odd"
words = ["odd"]
colour = "infra-red"
confirm = "prayer"
[context]
word = 1
[context.a]
class = "unknown"
namespaces = [1]
metrics = 5
[context.a.traces]
kind = "zipkin"
address = "ftp://x"
"#,
    );
    let expect = [
        (ProblemKind::NotAllowed, "appearance.theme", 1),
        (ProblemKind::NotAllowed, "appearance.zoom", 2),
        (ProblemKind::WrongType, "refresh.tick_s", 4),
        (ProblemKind::NotAllowed, "health.error_degraded", 7),
        (ProblemKind::WrongType, "kubeconfig.files", 9),
        (ProblemKind::NotAllowed, "class.name", 0),
        (ProblemKind::NotAllowed, "class.colour", 15),
        (ProblemKind::NotAllowed, "class.confirm", 16),
        (ProblemKind::WrongType, "context.word", 18),
        (ProblemKind::NotAllowed, "context.a.class", 20),
        (ProblemKind::WrongType, "context.a.namespaces", 21),
        (ProblemKind::WrongType, "context.a.metrics", 22),
        (ProblemKind::NotAllowed, "context.a.traces.address", 25),
    ];
    let mut found = told(&problems);
    found.sort_by_key(|problem| expect.iter().position(|e| e == problem));
    assert_eq!(found, expect);
    let good = Settings {
        window_s: 120,
        ..Settings::default()
    };
    assert_eq!(settings.thresholds, good.thresholds);
    assert_eq!(
        (settings.theme, settings.tick_s, settings.window_s),
        (good.theme, good.tick_s, 120)
    );
    // What was said and not understood asks one question too many rather than one too few.
    assert_eq!(settings.classes[0].confirm, Confirm::Name);
    assert_eq!(settings.contexts[0].traces[0].kind, Some(TraceKind::Zipkin));
}

#[test]
fn odd_numbers_are_refused() {
    for zoom in [
        "nan",
        "inf",
        "-1",
        "0.49",
        "3.01",
        "99999999999999",
        "true",
        "1979-05-27",
    ] {
        let (settings, problems) = parse(&format!("[appearance]\nzoom = {zoom}\n"));
        assert_eq!(settings, Settings::default(), "{zoom}");
        assert_eq!(problems.len(), 1, "{zoom}");
    }
}

#[test]
fn a_broken_file_is_named_with_its_place_and_counts_as_none() {
    let cases: [(&[u8], usize, usize); 5] = [
        (b"[appearance]\ntheme = light\n", 2, 9),
        (b"a = 1\na = 2\n", 2, 1),
        (b"[appearance\n", 1, 12),
        ("[a]\n\u{fc} = 1\n".as_bytes(), 2, 1),
        (b"[a]\nb = \"\xff\"\n", 2, 6),
    ];
    for (text, line, column) in cases {
        let (_home, folders, file) = home_with("");
        std::fs::write(&file, text).unwrap();
        let (settings, problems) = Settings::load(&folders);
        assert_eq!(settings, Settings::default());
        assert_eq!(told(&problems), [(ProblemKind::Broken, "", line)]);
        assert_eq!(problems[0].place.unwrap().column, column, "{problems:?}");
        let place = format!("{}:{line}:{column}: ", file.display());
        assert!(
            problems[0].to_string().starts_with(&place),
            "{}",
            problems[0]
        );
    }
}

#[test]
fn what_is_no_file_of_ours_is_not_read() {
    let (_home, folders, file) = home_with("");
    std::fs::write(&file, vec![b'#'; (1 << 20) + 1]).unwrap();
    let (_, problems) = Settings::load(&folders);
    assert_eq!(told(&problems), [(ProblemKind::TooLarge, "", 0)]);
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let (_, problems) = Settings::load(&folders);
    assert_eq!(told(&problems), [(ProblemKind::Unreadable, "", 0)]);
}

#[test]
fn secrets_are_refused_and_never_quoted() {
    let lines = [
        "token = \"SECRET\"",
        "metrics = { bearer_token = \"SECRET\" }",
        "metrics = { password = \"SECRET\" }",
        "metrics = { secret = \"SECRET\" }",
        "metrics = { address = \"https://ann:SECRET@host\" }",
        "metrics = { address = \"https://SECRET@host/\" }",
        "metrics = { headers = { Authorization = \"Bearer SECRET\" } }",
        "metrics = { headers = { X-Api-Key = \"SECRET\" } }",
        "metrics = { auth = { login = { token = \"SECRET\" } } }",
        "traces = [{ kind = \"jaeger\" }, { bearer = \"SECRET\" }]",
        "metrics = { token = [\"SECRET\"] }",
    ];
    for line in lines {
        let text = format!("[context.a]\n{}\n", line.replace("SECRET", CANARY));
        let (settings, problems) = parse(&text);
        let refused = problems
            .iter()
            .find(|p| p.kind == ProblemKind::SecretInFile);
        let refused = refused.unwrap_or_else(|| panic!("{line} was taken: {problems:?}"));
        assert_eq!(refused.place.unwrap().line, 2);
        assert!(refused.hint.contains("keychain"), "{}", refused.hint);
        assert!(
            !format!("{settings:?} {problems:?}").contains(CANARY),
            "{line}: {problems:?}"
        );
    }
}

#[test]
fn a_secret_is_not_quoted_by_a_complaint_about_its_line_either() {
    let lines = [
        "token = SECRET",
        "token = \"SECRET",
        "token = 'SECRET' 'x'",
        "SECRET",
        "secret = [SECRET]",
        "metrics = { address = \"SECRET\" }",
        "metrics = { address = \"https://h/?token=SECRET\" }",
        "metrics = { token_file = [\"SECRET\"] }",
        "metrics = { token_command = \"echo SECRET\" }",
        "metrics = { secret_header = \"X-Api-Key: SECRET\" }",
        "metrics = \"SECRET\"",
        "file = \"\"\"a\nSECRET\"\"\"",
    ];
    for line in lines {
        let text = format!("[context.a]\n{}\n", line.replace("SECRET", CANARY));
        let (_, problems) = parse(&text);
        assert!(!problems.is_empty(), "{line}");
        let all = problems
            .iter()
            .map(|p| format!("{p} {p:?}"))
            .collect::<String>();
        assert!(!all.contains(CANARY), "{line}: {all}");
    }
}

#[test]
fn unknown_keys_are_named() {
    let (_, problems) =
        parse("colour = 1\n[appearance]\nthene = \"dark\"\n[class]\nname = \"x\"\nword = []\n");
    let expect = [
        (ProblemKind::UnknownKey, "colour", 1),
        (ProblemKind::UnknownKey, "appearance.thene", 3),
        (ProblemKind::UnknownKey, "class.word", 6),
    ];
    assert_eq!(told(&problems), expect);
}

#[test]
fn two_ways_at_once_are_told() {
    let (settings, problems) = parse(
        "[context.a.metrics]\naddress = \"http://h\"\nservice = \"n/s:1\"\ntoken_file = \"t\"\nsecret = \"keychain\"\n",
    );
    let expect = [
        (ProblemKind::NotAllowed, "context.a.metrics.service", 3),
        (ProblemKind::NotAllowed, "context.a.metrics.secret", 5),
    ];
    assert_eq!(told(&problems), expect);
    let metrics = settings.contexts[0].metrics.clone().unwrap();
    assert_eq!(
        metrics.location,
        Some(Location::Address("http://h".to_owned()))
    );
    assert_eq!(metrics.auth, Auth::TokenFile("/p/config/t".into()));
}

#[test]
fn namesakes_are_told_apart_by_their_file() {
    let (settings, problems) = parse(
        "[context.a]\ncolour = \"red\"\n[context.\"/k/one/a\"]\ncolour = \"blue\"\n[context.b]\nfile = \"/k/one\"\n",
    );
    assert_eq!(told(&problems), []);
    let found = |name: &str, file: Option<&str>| {
        let key = ContextKey::new(name, file.map(PathBuf::from));
        settings.context(&key).map(|context| context.name.clone())
    };
    assert_eq!(found("a", Some("/k/two")).as_deref(), Some("a"));
    assert_eq!(found("a", None).as_deref(), Some("a"));
    assert_eq!(found("a", Some("/k/one")).as_deref(), Some("/k/one/a"));
    assert_eq!(found("b", Some("/k/one")).as_deref(), Some("b"));
    assert_eq!(found("b", Some("/k/two")), None);
    assert_eq!(found("b", None), None);
}

#[test]
fn classes_are_tried_in_order_and_can_be_changed() {
    let (settings, problems) = parse(
        "[[class]]\nname = \"team\"\npatterns = [\"*-eu\"]\n[[class]]\nname = \"production\"\ncolour = \"red\"\n\
         [[class]]\nname = \"staging\"\nwords = []\n[context.shop]\nclass = \"production\"\n",
    );
    assert_eq!(told(&problems), []);
    let class = |name, host| {
        let facts = ContextFacts {
            name,
            host,
            file: Some(Path::new("/k")),
        };
        settings.class_of(&facts).map(|class| class.name.as_str())
    };
    assert_eq!(class("prod-eu", None), Some("team"));
    assert_eq!(class("prod-us", None), Some("production"));
    assert_eq!(class("x", Some("api-eu")), Some("team"));
    assert_eq!(class("staging", None), None);
    assert_eq!(class("shop", None), Some("production"));
    let production = settings
        .classes
        .iter()
        .find(|c| c.name == "production")
        .unwrap();
    assert_eq!(production.confirm, Confirm::Name, "what is not said stays");
    assert_eq!(production.colour.as_ref().unwrap().as_str(), "red");
}
