#!/usr/bin/env bash
# The tests take the pictures; this copies those of the real window into docs/.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
scripts/need.sh rust node desktop window
scripts/frontend.sh
say "building the desktop app"
cargo build -q --workspace --bin pilothouse || fail "the desktop app does not build (see above)"
(cd frontend && npm run -s test:desktop) || fail "the loop failed in the real window, so there are no pictures"
mkdir -p docs/pictures
for screen in mesh splits traces; do
  cp "tests/artifacts/desktop/$screen.png" docs/pictures/ || fail "the desktop test took no picture of $screen"
done
say "docs/pictures is up to date"
