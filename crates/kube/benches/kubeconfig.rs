//! What the chooser waits for: 200 contexts in 40 files, beside serde-saphyr reading the same bytes once. `make bench`
//! prints the ratio.

#![expect(clippy::expect_used, reason = "a benchmark without its files is none")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, criterion_group, criterion_main};
use pilothouse_kube::{ConfigEnvironment, Kubeconfigs};
use serde_json::Value;

const FILES: usize = 40;
const CONTEXTS_OF_A_FILE: usize = 5;

/// A kubeconfig as installers write it: an authority and a certificate of usual length inline, or a plugin.
fn kubeconfig(file: usize) -> String {
    let pem = STANDARD.encode("-----BEGIN CERTIFICATE-----\n".to_owned() + &"A".repeat(1400));
    let mut text = String::from("apiVersion: v1\nkind: Config\npreferences: {}\n");
    let mut section = |name: &str, entry: &dyn Fn(usize) -> String| {
        let _infallible = writeln!(text, "{name}:");
        for i in 0..CONTEXTS_OF_A_FILE {
            text.push_str(&entry(file * CONTEXTS_OF_A_FILE + i));
        }
    };
    section("clusters", &|i| {
        format!(
            "- cluster:\n    certificate-authority-data: {pem}\n    server: https://10.0.{file}.{i}:6443\n  name: c{i}\n"
        )
    });
    section("contexts", &|i| {
        format!(
            "- context:\n    cluster: c{i}\n    namespace: shop\n    user: u{i}\n  name: team-{i}\n"
        )
    });
    section("users", &|i| {
        if i % 2 == 0 {
            return format!(
                "- name: u{i}\n  user:\n    client-certificate-data: {pem}\n    client-key-data: {pem}\n"
            );
        }
        format!(
            "- name: u{i}\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      command: aws\n      \
             args: [eks, get-token, --cluster-name, team-{i}]\n      interactiveMode: IfAvailable\n"
        )
    });
    text
}

fn chooser(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files: Vec<PathBuf> = (0..FILES)
        .map(|i| folder.path().join(format!("config-{i}")))
        .collect();
    for (i, file) in files.iter().enumerate() {
        std::fs::write(file, kubeconfig(i)).expect("a file");
    }
    let environment = ConfigEnvironment::default();
    let mut group = c.benchmark_group("200 contexts in 40 files");
    group.bench_function("contexts for the chooser vs serde-saphyr", |b| {
        b.iter(|| {
            let configs = Kubeconfigs::load(&files, &environment).expect("files");
            let contexts = configs.contexts();
            assert_eq!(contexts.len(), FILES * CONTEXTS_OF_A_FILE);
            black_box(contexts)
        });
    });
    group.bench_function("serde-saphyr", |b| {
        b.iter(|| {
            for file in &files {
                let text = std::fs::read_to_string(file).expect("a file");
                let value: Value = serde_saphyr::from_str(&text).expect("YAML");
                black_box(value);
            }
        });
    });
    group.finish();
}

criterion_group!(benches, chooser);
criterion_main!(benches);
