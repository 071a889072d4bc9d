#!/usr/bin/env bash
# Formats, lints, types and dependency rules. Fails on the first that is not clean.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
export PILOTHOUSE_CACHE="${PILOTHOUSE_CACHE:-$HOME/.cache/pilothouse}"
scripts/need.sh rust node desktop deny
scripts/frontend.sh
say "cargo fmt"
cargo fmt --all --check || fail "run 'make fmt'"
say "cargo clippy"
cargo clippy -q --workspace --all-targets -- -D warnings || fail "clippy has complaints (see above)"
say "svelte-check, oxlint, prettier"
(cd frontend && npm run -s check && npm run -s lint) || fail "the frontend has complaints (see above)"
say "cargo deny"
PATH="$PILOTHOUSE_CACHE/tools/bin:$PATH" cargo deny --offline --log-level error check bans licenses sources ||
  fail "cargo-deny has complaints (see above)"
