use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use toml_edit::{DocumentMut, Item};

use super::{home_with, told};
use crate::{
    Auth, Colour, ContextKey, Location, ServiceAddress, Settings, SettingsFile, SourceSettings,
    Theme, TraceKind,
};

fn text() -> impl Strategy<Value = String> {
    "[ -~äß中\"'#\\\\]{1,12}"
}

fn path() -> impl Strategy<Value = PathBuf> {
    "/[a-zA-Z \"'~._-]{1,9}(/[a-z]{1,5})?".prop_map(PathBuf::from)
}

fn location() -> impl Strategy<Value = Location> {
    let address = "https?://[a-z]{1,8}(:[0-9]{2,4})?(/[a-z]{1,4})?".prop_map(Location::Address);
    let path = "/[a-z/]{0,6}";
    let service = (
        "[a-z]{1,6}",
        "[a-z]{1,6}",
        "[a-z0-9]{1,5}",
        path,
        any::<bool>(),
    );
    let service = service.prop_map(|(namespace, name, port, base_path, https)| {
        Location::Service(ServiceAddress {
            namespace,
            name,
            port,
            base_path,
            https,
        })
    });
    prop_oneof![address, service]
}

fn auth() -> impl Strategy<Value = Auth> {
    prop_oneof![
        Just(Auth::None),
        Just(Auth::Keychain),
        path().prop_map(Auth::TokenFile),
        prop::collection::vec(text(), 1..4).prop_map(Auth::TokenCommand),
    ]
}

fn source() -> impl Strategy<Value = SourceSettings> {
    let headers = prop::collection::btree_map("X-[A-Z][a-z]{9}", text(), 0..3);
    let files = (
        prop::option::of(path()),
        prop::option::of(path()),
        prop::option::of(path()),
    );
    let who = (
        prop::option::of(text()),
        prop::option::of(text()),
        prop::option::of("X-[A-Z]{3}"),
    );
    (prop::option::of(location()), headers, files, auth(), who).prop_map(
        |(location, headers, files, auth, who)| SourceSettings {
            kind: None,
            location,
            tenant: who.0,
            headers: BTreeMap::from_iter(headers),
            ca_file: files.0,
            client_cert_file: files.1,
            client_key_file: files.2,
            auth,
            user: who.1,
            secret_header: who.2,
        },
    )
}

/// A file that somebody wrote, in many ways, with keys that we do not know.
fn written() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just(""),
        Just("# only a comment"),
        Just("future = 1\n[appearance]\ntheme = 'dark' # c\n[appearance.more]\nx = 1\n"),
        Just(
            "appearance = { theme = 'dark', more = { x = 1 } }\ncontext = { a = { future = 2 } }\n"
        ),
        Just(
            "[context.a]\nfuture = 3\n[context.a.metrics]\ntenant = 't' # c\nfuture = 4\n[other]\ny = 2\n"
        ),
        Just(
            "context.a.traces.kind = 'zipkin'\ncontext.a.traces.future = 5\nkubeconfig.files = []\n"
        ),
        Just(
            "[[context.a.traces]]\nfuture = 6\n[[context.a.traces]]\nfuture = 7\n[[class]]\nname = 'x'\nfuture = 8\n"
        ),
        Just("[context.a.metrics]\nfuture = 13\n"),
        Just("context = { a = { metrics = { future = 11 }, traces = [{ future = 12 }, {}] } }\n"),
        Just("context = { a = { traces = { future = 14 } } } # c\n"),
        Just("[context]\na.metrics = { future = 9 }\na.traces = [{ future = 10 }, {}]\n"),
    ]
}

/// Every value under a key that we do not know, by its dotted path.
fn unknown(text: &str) -> Vec<String> {
    fn walk(item: &Item, found: &mut Vec<String>) {
        if let Some(table) = item.as_table_like() {
            for (name, item) in table.iter() {
                // A context may have such a name too: then it is a table.
                match item.as_integer() {
                    Some(value) if ["future", "x", "y"].contains(&name) => {
                        found.push(format!("{name} = {value}"));
                    }
                    _ => walk(item, found),
                }
            }
        } else if let Some(all) = item.as_array_of_tables() {
            all.iter()
                .for_each(|table| walk(&Item::Table(table.clone()), found));
        } else if let Some(all) = item.as_array() {
            all.iter()
                .for_each(|value| walk(&Item::Value(value.clone()), found));
        }
    }
    let document: DocumentMut = text.parse().unwrap();
    let mut found = Vec::new();
    walk(document.as_item(), &mut found);
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_and_the_rest_stays(
        start in written(),
        metrics in source(),
        traces in prop::collection::vec((source(), 0..4_usize), 2..4),
        zoom in 0.5..3.0_f64,
        files in prop::collection::btree_set(path(), 0..3),
        namespaces in prop::collection::vec("[a-z]{1,5}", 0..3),
        name in prop_oneof![Just("a".to_owned()), text()],
    ) {
        let (_home, folders, file) = home_with(start);
        let key = ContextKey::new(name, Some("/k".into()));
        let kinds = [None, Some(TraceKind::Jaeger), Some(TraceKind::Tempo), Some(TraceKind::Zipkin)];
        let traces: Vec<SourceSettings> =
            traces.into_iter().map(|(source, kind)| SourceSettings { kind: kinds[kind], ..source }).collect();
        let written = SettingsFile::of(&folders).unwrap().edit(|draft| {
            draft.set_theme(Theme::Light);
            draft.set_zoom(zoom);
            draft.set_context_colour(&key, Colour::new("#123abc").as_ref());
            draft.set_context_namespaces(&key, Some(&namespaces));
            draft.set_context_metrics(&key, Some(&metrics));
            draft.set_context_traces(&key, &traces);
            for file in &files {
                draft.add_kubeconfig_file(file);
            }
        }).unwrap();
        let after = std::fs::read_to_string(&file).unwrap();
        let (loaded, problems) = Settings::load(&folders);
        prop_assert_eq!(&loaded, &written);
        prop_assert!(told(&problems).iter().all(|(kind, ..)| *kind == crate::ProblemKind::UnknownKey), "{problems:?}");
        prop_assert_eq!(loaded.theme, Theme::Light);
        prop_assert!((loaded.zoom - zoom).abs() < 1e-12);
        let context = loaded.context(&key).unwrap();
        prop_assert_eq!(context.metrics.as_ref(), Some(&metrics), "{}", after);
        prop_assert_eq!(&context.traces, &traces, "{}", after);
        prop_assert_eq!(context.namespaces.as_ref(), Some(&namespaces));
        prop_assert_eq!(loaded.kubeconfig_files, Vec::from_iter(files));
        prop_assert_eq!(unknown(&after), unknown(start), "{}", after);
        for comment in start.split('\n').filter_map(|line| line.split_once("# ")) {
            // A comment behind a value that was taken away goes with it.
            prop_assert!(after.contains(comment.1) || comment.1 == "c", "{after}");
        }
    }

    #[test]
    fn no_text_is_too_odd_to_read(text in "(\\[{0,2}[a-z.\"]{0,9}\\]{0,2} ?=? ?[0-9a-z\"'{}, ]{0,9}\n){0,6}") {
        let (settings, problems) = super::parse(&text);
        let broken = problems.iter().any(|p| p.kind == crate::ProblemKind::Broken);
        prop_assert!(!broken || settings == Settings::default());
        for problem in problems {
            prop_assert!(!problem.to_string().is_empty());
        }
    }
}
