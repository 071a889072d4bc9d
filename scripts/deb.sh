#!/usr/bin/env bash
# Builds the Debian package and prints its size.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
scripts/need.sh rust node desktop
say "building the release and its package (some minutes)"
CI=true frontend/node_modules/.bin/tauri build --bundles deb || fail "the package does not build (see above)"
ls -l target/release/pilothouse target/release/bundle/deb/*.deb
