#!/usr/bin/env bash
# Builds the Debian package and prints its size. usage: deb.sh [--dev]; with --dev of the test build (target/debug, already
# built) and not compressed, to look at what is in it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
command -v dpkg-deb >/dev/null || fail "dpkg-deb is missing: the package is built on Debian-like systems"
target=${CARGO_TARGET_DIR:-target}
largest_window=$((8 << 20)) # bytes, packed

if [ "${1:-}" = --dev ]; then
  built=$target/debug out=$target/deb-dev pack=(-Znone)
else
  scripts/need.sh rust node desktop
  scripts/frontend.sh
  say "building the release (some minutes)"
  cargo build -q --locked --release -p pilothouse -p pilothousectl --features pilothouse/custom-protocol ||
    fail "the release does not build (see above)"
  built=$target/release out=$target/deb pack=(-Zxz)
fi
for program in pilothouse pilothousectl; do
  [ -x "$built/$program" ] || fail "$built/$program is not built: cargo build --workspace --bins"
done

rm -rf "$out"
root=$out/root
share=$root/usr/share doc=$root/usr/share/doc/pilothouse
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
# put MODE FROM TO: a file of the package.
put() { install -D -m "$1" "$2" "$root/$3"; }
# packed TO: standard input, compressed, always to the same bytes.
packed() { mkdir -p "$(dirname "$root/$1")"; gzip -9n >"$root/$1"; }

say "laying out the package"
put 755 "$built/pilothouse" usr/bin/pilothouse
put 755 "$built/pilothousectl" usr/bin/pilothousectl
ln -s pilothousectl "$root/usr/bin/kubectl-pilothouse"
put 644 scripts/deb/pilothouse.desktop usr/share/applications/pilothouse.desktop
put 644 icons/32x32.png usr/share/icons/hicolor/32x32/apps/pilothouse.png
put 644 icons/128x128.png usr/share/icons/hicolor/128x128/apps/pilothouse.png
put 644 icons/128x128@2x.png usr/share/icons/hicolor/256x256/apps/pilothouse.png
put 644 icons/icon.png usr/share/icons/hicolor/512x512/apps/pilothouse.png
put 644 icons/pilothouse.svg usr/share/icons/hicolor/scalable/apps/pilothouse.svg

ctl=$built/pilothousectl
mkdir -p "$share/bash-completion/completions" "$share/zsh/vendor-completions" "$share/fish/vendor_completions.d"
"$ctl" completion bash >"$share/bash-completion/completions/pilothousectl"
"$ctl" completion zsh >"$share/zsh/vendor-completions/_pilothousectl"
"$ctl" completion fish >"$share/fish/vendor_completions.d/pilothousectl.fish"
mkdir -p "$out/man"
"$ctl" man "$out/man"
cp scripts/deb/pilothouse.1 "$out/man/"
for page in "$out"/man/*.1; do packed "usr/share/man/man1/$(basename "$page").gz" <"$page"; done
ln -s pilothousectl.1.gz "$share/man/man1/kubectl-pilothouse.1.gz"

version=$("$ctl" version)
homepage=$(sed -n 's/^repository = "\(.*\)"$/\1/p' Cargo.toml)
architecture=$(dpkg --print-architecture)
libc=$(objdump -T "$root"/usr/bin/pilothouse{,ctl} | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -Vu | tail -n 1)
mkdir -p "$doc" "$root/DEBIAN"
sed "s|@HOMEPAGE@|$homepage|" scripts/deb/copyright >"$doc/copyright"
node scripts/deb/third-party.mjs | packed usr/share/doc/pilothouse/third-party-licenses.gz
packed usr/share/doc/pilothouse/changelog.gz <CHANGELOG.md
kib=$(du -sk --apparent-size "$root/usr" | cut -f1)
sed "s|@VERSION@|$version|; s|@ARCHITECTURE@|$architecture|; s|@KIB@|$kib|; s|@LIBC@|$libc|; s|@HOMEPAGE@|$homepage|" \
  scripts/deb/control >"$root/DEBIAN/control"
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
# Whatever this person's umask and clock are.
chmod -R u=rwX,go=rX "$root"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

say "packing"
deb=$out/pilothouse_${version}_$architecture.deb
dpkg-deb --root-owner-group "${pack[@]}" --build "$root" "$deb" >/dev/null || fail "the package does not build (see above)"
ls -l "$root"/usr/bin/pilothouse{,ctl} "$deb"
if [ "${pack[*]}" = -Zxz ]; then
  window=$(xz -c "$root/usr/bin/pilothouse" | wc -c)
  echo "the window packed alone: $window bytes of at most $largest_window"
  [ "$window" -le "$largest_window" ] || fail "the window has grown beyond $largest_window bytes packed"
fi
