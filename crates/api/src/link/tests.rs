use proptest::prelude::*;

use super::*;

fn link(text: &str) -> Link {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn links_are_written_as_people_read_them() {
    let cases = [
        ("demo", Place::Mesh, "pilothouse://demo"),
        (
            "prod-eu",
            Place::Split("VirtualService/shop/reviews/http/0".to_owned()),
            "pilothouse://prod-eu/split/VirtualService/shop/reviews/http/0",
        ),
        (
            "arn:aws:eks:eu-west-1:1:cluster/shop",
            Place::Node("app:east/shop/reviews".to_owned()),
            "pilothouse://arn%3Aaws%3Aeks%3Aeu-west-1%3A1%3Acluster%2Fshop/node/app:east/shop/reviews",
        ),
        (
            "user@host/ns",
            Place::Edge("app:e/a/b>app:e/a/100%25".to_owned()),
            "pilothouse://user%40host%2Fns/edge/app:e/a/b%3Eapp:e/a/100%2525",
        ),
        (
            "kühl & klar?",
            Place::Trace("4bf92f3577b34da6".to_owned()),
            "pilothouse://k%C3%BChl%20%26%20klar%3F/trace/4bf92f3577b34da6",
        ),
    ];
    for (context, place, text) in cases {
        let written = Link::new(context, place).unwrap();
        assert_eq!(written.to_string(), text);
        assert_eq!(link(text), written);
    }
}

#[test]
fn a_link_may_name_a_moment_and_a_window() {
    let text = "pilothouse://demo/node/app:/shop/reviews?at=2026-01-31T12:00:00.250Z&window=5m";
    let read = link(text);
    assert_eq!(read.at(), Some(Moment(1_769_860_800_250)));
    assert_eq!(read.window(), Some(TimeSpan(300_000)));
    assert_eq!(read.to_string(), text);
    let other = "PILOTHOUSE://demo/node/app%3A%2Fshop%2Freviews?window=300s&at=2026-01-31T13:00:00.25%2B01:00";
    assert_eq!(link(other), read, "another way to write the same");
    assert_eq!(link("pilothouse://demo/"), link("pilothouse://demo/mesh"));
}

#[test]
fn what_is_no_link_is_refused_with_its_reason() {
    let long = format!("pilothouse://{}", "a".repeat(LONGEST));
    let cases = [
        ("", LinkError::Scheme),
        ("demo", LinkError::Scheme),
        ("pilothouse:demo", LinkError::Scheme),
        ("https://demo/node/x", LinkError::Scheme),
        ("javascript://demo/%0Aalert(1)", LinkError::Scheme),
        ("file:///etc/passwd", LinkError::Scheme),
        (&long, LinkError::TooLong),
        ("pilothouse://", LinkError::NoContext),
        ("pilothouse:///node/x", LinkError::NoContext),
        ("pilothouse://demo/settings/x", LinkError::NoPlace),
        ("pilothouse://demo/mesh/x", LinkError::NoPlace),
        ("pilothouse://demo/Node/x", LinkError::NoPlace),
        ("pilothouse://demo//node/x", LinkError::NoPlace),
        ("pilothouse://demo/node", LinkError::NoId("node")),
        ("pilothouse://demo/node/", LinkError::NoId("node")),
        (
            "pilothouse://demo/split/../../node/x",
            LinkError::NoId("split"),
        ),
        ("pilothouse://demo/split/%2E%2E/x", LinkError::NoId("split")),
        ("pilothouse://demo/node/%", LinkError::Encoding),
        ("pilothouse://demo/node/%zz", LinkError::Encoding),
        ("pilothouse://demo/node/%+1", LinkError::Encoding),
        ("pilothouse://demo/node/%FF", LinkError::Encoding),
        ("pilothouse://demo/node/<img src=x>", LinkError::Encoding),
        ("pilothouse://demo/node/x y", LinkError::Encoding),
        ("pilothouse://demo/node/x#here", LinkError::Query),
        ("pilothouse://dem\u{FC}/node/x", LinkError::Encoding),
        ("pilothouse://demo%0A/node/x", LinkError::Unseen),
        ("pilothouse://demo/node/%1B%5B2J", LinkError::Unseen),
        ("pilothouse://demo/node/%00", LinkError::Unseen),
        ("pilothouse://demo/node/a%E2%80%AEb", LinkError::Unseen),
        ("pilothouse://demo/trace/xyz", LinkError::TraceId),
        ("pilothouse://demo/trace/%27;--", LinkError::TraceId),
        ("pilothouse://demo/mesh#x", LinkError::Query),
        ("pilothouse://a:1/mesh", LinkError::Encoding),
        ("pilothouse://u@demo/mesh", LinkError::Encoding),
        (
            "pilothouse://demo/split/VirtualService/shop",
            LinkError::SplitId,
        ),
        (
            "pilothouse://demo/split/Secret/shop/a/http/0",
            LinkError::SplitId,
        ),
        ("pilothouse://demo?", LinkError::Query),
        ("pilothouse://demo?token=1", LinkError::Query),
        ("pilothouse://demo?window=1m&window=5m", LinkError::Query),
        ("pilothouse://demo?at=yesterday", LinkError::Moment),
        (
            "pilothouse://demo?at=99999-01-01T00:00:00Z",
            LinkError::Moment,
        ),
        ("pilothouse://demo?window=5", LinkError::Window),
        ("pilothouse://demo?window=1s", LinkError::Window),
        ("pilothouse://demo?window=9d", LinkError::Window),
    ];
    for (text, why) in cases {
        assert_eq!(text.parse::<Link>(), Err(why), "{text}");
    }
}

fn places() -> impl Strategy<Value = Place> {
    let id = || "[ -~äß€😀]{1,20}";
    prop_oneof![
        Just(Place::Mesh),
        id().prop_map(Place::Node),
        id().prop_map(Place::Edge),
        id().prop_map(Place::Split),
        "[0-9a-fA-F]{1,32}".prop_map(Place::Trace),
    ]
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(
        context in "[ -~äß€😀]{1,20}",
        place in places(),
        at in prop::option::of(-1_000_000_000_000..10_000_000_000_000_i64),
        window in prop::option::of(WINDOWS),
    ) {
        // Dots alone are no id.
        let Ok(mut written) = Link::new(&context, place) else { return Ok(()) };
        if let Some(at) = at {
            written = written.as_of(Moment(at)).unwrap();
        }
        if let Some(window) = window {
            written = written.over(TimeSpan(window)).unwrap();
        }
        prop_assert_eq!(written.to_string().parse(), Ok(written));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*", tail in "[ -~]{0,40}") {
        for text in [text, format!("pilothouse://{tail}"), format!("pilothouse://demo/{tail}")] {
            if let Ok(link) = text.parse::<Link>() {
                prop_assert_eq!(link.to_string().parse(), Ok(link));
            }
        }
    }
}
