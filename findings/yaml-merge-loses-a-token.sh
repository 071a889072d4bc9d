#!/bin/sh
# serde_yaml_ng 0.10.0 with serde 1.0.229, from crates.io. Seen 2026-11-28.
#
# Expected: a reader that follows anchors and aliases follows merge keys, or says that it does not.
# Seen: `<<: *base` becomes a field of the name `<<`, which a struct passes over as it does any unknown field; what was to
# be merged is its default. `user: {<<: *base, name: jane}` has no token, and nobody is told. (A `Value` can be merged
# afterwards with `apply_merge`; a struct cannot.)
# Here: kubeconfigs are read from parser events, with merge keys.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"

[dependencies]
serde = { version = "=1.0.229", features = ["derive"] }
serde_yaml_ng = "=0.10.0"
TOML
cat >src/main.rs <<'RUST'
use std::collections::BTreeMap;

#[derive(serde::Deserialize)]
#[serde(default)]
#[derive(Default)]
struct User {
    name: String,
    token: String,
}

fn main() {
    let text = "base: &base {token: t}\nuser: {<<: *base, name: jane}\n";
    let users: BTreeMap<String, User> = serde_yaml_ng::from_str(text).expect("valid YAML");
    for (key, user) in users {
        print!("{key} name={:?} token={:?} ", user.name, user.token);
    }
}
RUST
seen=$(CARGO_TARGET_DIR="$folder/target" cargo run --quiet)
echo "serde_yaml_ng 0.10.0: $seen"
test "$seen" = 'base name="" token="t" user name="jane" token="" '
