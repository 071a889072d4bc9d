#!/usr/bin/env bash
# Formats, lints, types and dependency rules. Fails on the first that is not clean.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
scripts/need.sh rust node desktop
scripts/frontend.sh
say "cargo fmt"
cargo fmt --all --check || fail "run 'make fmt'"
say "cargo clippy"
cargo clippy -q --workspace --all-targets -- -D warnings || fail "clippy has complaints (see above)"
say "svelte-check, oxlint, prettier"
(cd frontend && npm run -s check && npm run -s lint) || fail "the frontend has complaints (see above)"
if command -v cargo-deny >/dev/null; then
  say "cargo deny"
  cargo deny --offline check bans licenses sources || fail "cargo-deny has complaints (see above)"
else
  say "cargo-deny is not installed: licences and sources were NOT checked (cargo install cargo-deny --locked)"
fi
