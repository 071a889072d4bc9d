use pilothouse_core::model::SourceErrorKind;
use proptest::prelude::*;

use super::*;
use crate::failure::failed;
use crate::mock::virtual_service;
use crate::resource;

fn object(namespace: &str, name: &str, version: &str) -> Object {
    let doc = virtual_service(namespace, name, version);
    resource::object(ObjectKind::VirtualService, "v1", doc).unwrap()
}

fn draw(events: &[ObjectEvent]) -> String {
    let words: Vec<String> = events.iter().map(super::super::tests::draw).collect();
    words.join("; ")
}

fn forbidden() -> SourceError {
    failed(SourceErrorKind::Forbidden, "no")
}

#[test]
fn one_place_is_passed_on() {
    let mut fold = Fold::new(ObjectKind::VirtualService, 1);
    let cases = [
        (Told::Failed(forbidden()), "failed Forbidden"),
        (Told::Listed(vec![object("a", "x", "1")]), "listed a/x@1"),
        (
            Told::Applied(Box::new(object("a", "x", "2"))),
            "applied a/x@2",
        ),
        (
            Told::Deleted(object("a", "x", "2").reference),
            "deleted a/x",
        ),
        (Told::Absent, "absent"),
    ];
    for (told, expect) in cases {
        assert_eq!(draw(&fold.take(0, told)), expect);
    }
}

#[test]
fn several_places_make_one_list() {
    let mut fold = Fold::new(ObjectKind::VirtualService, 2);
    let steps = [
        (0, Told::Listed(vec![object("a", "x", "1")]), ""),
        (0, Told::Applied(Box::new(object("a", "y", "2"))), ""),
        (
            1,
            Told::Listed(vec![object("b", "z", "3")]),
            "listed a/x@1 a/y@2 b/z@3",
        ),
        (
            1,
            Told::Applied(Box::new(object("b", "z", "4"))),
            "applied b/z@4",
        ),
        (
            0,
            Told::Deleted(object("a", "x", "1").reference),
            "deleted a/x",
        ),
        // A new list of one place repeats the other one's objects as they are now.
        (
            0,
            Told::Listed(vec![object("a", "y", "5")]),
            "listed a/y@5 b/z@4",
        ),
        // A failure keeps what is known, and stands until its own place lists again.
        (1, Told::Failed(forbidden()), "failed Forbidden"),
        (0, Told::Listed(vec![]), "listed b/z@4; failed Forbidden"),
        (1, Told::Listed(vec![]), "listed"),
    ];
    for (place, told, expect) in steps {
        assert_eq!(draw(&fold.take(place, told)), expect);
    }
}

#[test]
fn places_that_differ_say_the_best_and_the_worst() {
    let mut fold = Fold::new(ObjectKind::VirtualService, 2);
    assert_eq!(draw(&fold.take(0, Told::Failed(forbidden()))), "");
    let listed = Told::Listed(vec![object("b", "z", "3")]);
    assert_eq!(
        draw(&fold.take(1, listed)),
        "listed b/z@3; failed Forbidden"
    );
    let mut fold = Fold::new(ObjectKind::VirtualService, 2);
    assert_eq!(draw(&fold.take(0, Told::Absent)), "");
    assert_eq!(draw(&fold.take(1, Told::Absent)), "absent");
    let mut fold = Fold::new(ObjectKind::VirtualService, 2);
    fold.take(0, Told::Failed(forbidden()));
    assert_eq!(
        draw(&fold.take(1, Told::Failed(forbidden()))),
        "failed Forbidden; failed Forbidden"
    );
}

proptest! {
    /// Whatever the places do, who applies the events in order knows what the places know.
    #[test]
    fn events_add_up_to_the_union_of_the_places(steps in prop::collection::vec((0..3_usize, 0..4_u8, 0..3_u8), 0..60)) {
        let mut fold = Fold::new(ObjectKind::VirtualService, 3);
        let mut truth: [BTreeMap<ObjectRef, Object>; 3] = Default::default();
        let mut known: Option<BTreeMap<ObjectRef, Object>> = None;
        for (i, (place, what, name)) in steps.into_iter().enumerate() {
            let object = object(&format!("ns{place}"), &format!("o{name}"), &i.to_string());
            let told = match what {
                0 => {
                    truth[place] = BTreeMap::from([(object.reference.clone(), object.clone())]);
                    Told::Listed(vec![object])
                }
                1 => Told::Failed(forbidden()),
                // A stream says nothing of single objects before its first list.
                _ if truth[place].is_empty() => continue,
                2 => {
                    truth[place].insert(object.reference.clone(), object.clone());
                    Told::Applied(Box::new(object))
                }
                _ => {
                    truth[place].remove(&object.reference);
                    Told::Deleted(object.reference)
                }
            };
            for event in fold.take(place, told) {
                match event {
                    ObjectEvent::Listed { objects, .. } => {
                        known = Some(objects.into_iter().map(|o| (o.reference.clone(), o)).collect());
                    }
                    ObjectEvent::Applied(object) => {
                        known.get_or_insert_default().insert(object.reference.clone(), *object);
                    }
                    ObjectEvent::Deleted(reference) => {
                        known.get_or_insert_default().remove(&reference);
                    }
                    ObjectEvent::Absent(_) | ObjectEvent::Failed { .. } => {}
                }
            }
            if let Some(known) = &known {
                let union: BTreeMap<_, _> = truth.iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
                prop_assert_eq!(known, &union);
            }
        }
    }
}
