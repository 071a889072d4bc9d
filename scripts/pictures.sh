#!/usr/bin/env bash
# The tests take the pictures; this copies those of the real window into docs/.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
scripts/test.sh desktop
mkdir -p docs/pictures
for screen in mesh splits traces; do
  cp "tests/artifacts/desktop/$screen.png" docs/pictures/ || fail "the desktop test took no picture of $screen"
done
say "docs/pictures is up to date"
