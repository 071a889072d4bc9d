#!/usr/bin/env bash
# Every test, with the time of each part. usage: test.sh [PART...]; parts: frontend rust browser desktop package real
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
export RUSTFLAGS="${RUSTFLAGS:-}"
# Property tests draw the same cases in each run; another number draws others.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-20260101}"
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(frontend rust browser desktop package real)
scripts/need.sh rust node go desktop window browser package bed
scripts/frontend.sh

summary=()
# part NAME COMMAND...: runs it, keeps its time, stops at the first failure.
part() {
  local name=$1 began=$SECONDS; shift
  say "$name"
  "$@" || fail "$name failed after $((SECONDS - began)) s (see above)"
  summary+=("$(printf '%-28s %5s s' "$name" $((SECONDS - began)))")
}

test_frontend() { (cd frontend && npm run -s check && npm run -s test); }
build_bins() { cargo build -q --workspace --bins; }
build_rust() { cargo test -q --workspace --no-run && build_bins; }
test_rust() { cargo test -q --workspace --exclude pilothouse-bed --exclude pilothouse-acceptance && cargo test -q -p pilothouse-acceptance --test house --test cli --test faults --test demo; }
test_browser() { build_bins && (cd frontend && npm run -s test:browser); }
test_desktop() { build_bins && (cd frontend && npm run -s test:desktop); }
test_package() { build_bins && (cd frontend && npm run -s test:package); }
build_bed() { cargo run -q -p pilothouse-bed -- build all; }
test_real() { build_bins && cargo test -q -p pilothouse-bed && cargo test -q -p pilothouse-acceptance --test connect --test real; }

for name in "${parts[@]}"; do
  case $name in
    frontend) part "frontend: types and units" test_frontend ;;
    rust) part "rust: build" build_rust; part "rust: units, house, faults" test_rust ;;
    browser) part "browser: the loop" test_browser ;;
    desktop) part "desktop: the loop" test_desktop ;;
    package) part "package: unpacked and run" test_package ;;
    real) part "bed: build servers" build_bed; part "real: the loop" test_real ;;
    *) fail "there is no part '$name'" ;;
  esac
done
say "all parts passed"
printf '%s\n' "${summary[@]}"
