//! Odd and usual kubeconfigs: the real kubectl and the library are asked the same questions, in front of one API server.
//!
//! Two tables: `cases.txt` here, and the one that the unit tests of `pilothouse-kube` are about, whose outcomes were kubectl's
//! when it was written and are asked again here.

mod case;
mod outcome;
mod scene;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use anyhow::{Result, ensure};
use pilothouse_bed::Servers;

use case::{Case, Expected};
use outcome::Outcome;
use scene::Scene;

/// Cases with a cluster: see the head of the file.
const HERE: &str = include_str!("kubeconfigs/cases.txt");
/// Cases that are decided without a cluster, in the words of the unit tests.
const UNITS: &str = include_str!("../../../../crates/kube/src/kubeconfig/tests/cases.txt");

#[test]
fn every_kubeconfig_is_to_us_what_it_is_to_kubectl() -> Result<()> {
    let servers = Servers::new()?;
    let [cluster] = servers.clusters(["east"])?;
    let scene = Scene::set(&servers, &cluster)?;
    let cases: Vec<Case> = Case::here(HERE)
        .chain(Case::of_units(UNITS))
        .collect::<Result<_>>()?;
    ensure!(cases.len() >= 180, "only {} cases were read", cases.len());
    let queue = Mutex::new(cases.iter().enumerate());
    let differing = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        let ask = || {
            loop {
                let next = queue.lock().unwrap().next();
                let Some((i, case)) = next else { return };
                if let Err(error) = judge(&scene, i, case) {
                    let text = format!("{}: {error:#}", case.name);
                    differing.lock().unwrap().insert(i, text);
                }
            }
        };
        for _ in 0..4 {
            scope.spawn(ask);
        }
    });
    let differing = differing.into_inner().unwrap();
    let texts: Vec<String> = differing.into_values().collect();
    ensure!(
        texts.is_empty(),
        "{} of {} cases:\n\n{}",
        texts.len(),
        cases.len(),
        texts.join("\n\n")
    );
    Ok(())
}

/// Both are asked who they are and which context is the current one.
fn judge(scene: &Scene<'_>, number: usize, case: &Case) -> Result<()> {
    let room = scene.room(number, case)?;
    let (kubectl, its_words) = scene.ask_kubectl(&room)?;
    let (ours, our_words) = scene.ask_us(&room);
    let said = format!("kubectl: {kubectl:?} {its_words}\nours:    {ours:?} {our_words}");
    let expected = match &case.expected {
        Expected::Same(word) => kubectl == ours && kubectl.word() == *word,
        Expected::Apart(theirs, own) => kubectl.word() == *theirs && ours.word() == *own,
        Expected::AsKubectl => kubectl == ours,
        // kubectl refuses the whole file for one wrong entry; what we make of the rest stands in the unit tests.
        Expected::RefusedByKubectl => kubectl == Outcome::Configuration,
    };
    ensure!(expected, "{} was expected\n{said}", case.expected);
    if let Some(words) = &case.says {
        ensure!(
            its_words.contains(words) && our_words.contains(words),
            "{words:?} was expected of both\n{said}"
        );
    }
    let chosen = scene.current_context_of_kubectl(&room)?;
    // One that refuses a file says nothing of it.
    if let Some(chosen) = chosen {
        let ours = room.current_context();
        ensure!(
            chosen == ours,
            "the current context: kubectl {chosen:?}, ours {ours:?}"
        );
    }
    Ok(())
}
