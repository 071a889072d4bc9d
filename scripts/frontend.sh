#!/usr/bin/env bash
# Builds the screens into frontend/dist, only when their sources changed.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
scripts/need.sh node
stamp=frontend/dist/index.html
newer=$(find frontend/src frontend/index.html frontend/public frontend/*.json frontend/*.ts -newer "$stamp" -print -quit 2>/dev/null || true)
if [ ! -f "$stamp" ] || [ -n "$newer" ]; then
  say "building the screens"
  (cd frontend && npm run -s build) || fail "the frontend does not build (see above)"
  touch "$stamp"
fi
