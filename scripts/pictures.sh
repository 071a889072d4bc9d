#!/usr/bin/env bash
# The tests take the pictures; this copies those of the real window into docs/.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
scripts/test.sh desktop
mkdir -p docs/pictures
cp tests/artifacts/desktop/*.png docs/pictures/
say "docs/pictures is up to date"
