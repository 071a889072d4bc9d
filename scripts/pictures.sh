#!/usr/bin/env bash
# The tests take the pictures; this copies them into docs/: those of the real window, and of the chooser those of the browser.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
scripts/test.sh browser desktop
mkdir -p docs/pictures
for screen in mesh splits traces; do
  cp "tests/artifacts/desktop/$screen.png" docs/pictures/ || fail "the desktop test took no picture of $screen"
done
for screen in chooser checklist connect-failed; do
  cp "tests/artifacts/connect/$screen.png" docs/pictures/ || fail "the browser test took no picture of $screen"
done
say "docs/pictures is up to date"
