#!/usr/bin/env bash
# Opens the desktop app on the demo mesh. Without a display the same screens are served on loopback.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
scripts/need.sh rust node desktop
scripts/frontend.sh
# Whoever tries it out without words sees the mesh that is embedded; flags go to the program as they are.
[ $# -gt 0 ] || set -- --demo
# --workspace: with the features that the tests build with, so that neither builds the other's crates again.
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  say "building the desktop app"
  cargo build -q --workspace --bin pilothouse || fail "the desktop app does not build (see above)"
  say "opening Pilothouse (target/debug/pilothouse without flags opens your clusters; --help tells more)"
  exec target/debug/pilothouse "$@"
fi
say "no display: building the browser shell"
cargo build -q --workspace --bin pilothouse-dev || fail "the browser shell does not build (see above)"
say "open this address in a browser on this machine; Ctrl-C ends it"
exec target/debug/pilothouse-dev --port "${PORT:-0}" "$@"
