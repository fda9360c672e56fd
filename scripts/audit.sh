#!/usr/bin/env bash
# Which of the libraries inside have newer releases or known vulnerabilities. Prints, and fails for neither.
# Newer releases are those that crates.io has. libcurl, OpenSSL and zlib come inside crates, whose newest releases are looked at.
# Known vulnerabilities are looked up with cargo-audit, where it is installed, in the RustSec database: ADVISORY_DB=FOLDER, a
# clone of it, where it cannot be fetched.
source "$(dirname "$0")/common.sh"
cargo=(timeout 60 cargo)

inside() { # NAME VERSION of each crate whose code is in the library, and of the one that has OpenSSL's sources
  cargo tree --locked --edges normal,no-proc-macro --prefix none --format '{p}'
  cargo tree --locked --edges normal,build --prefix none --format '{p}' | grep '^openssl-src '
}
names=$(inside 2>/dev/null | sed -nE 's/^([^ ]+) v([^ ]+).*/\1 \2/p' | grep -v '^feast-remote ' | sort -u)

echo "Inside libfeast_remote $version:"
echo "$names" | sed -nE 's/^curl-sys .*\+curl-/  libcurl /p; s/^openssl-src .*\+/  OpenSSL /p'
sed -nE 's/^\| (zlib) \| ([^ ]+) .*/  \1 \2/p' THIRD_PARTY.md
echo "  $(grep -cv '^openssl-src ' <<<"$names") crates"

# What cargo would lock today, and what it could not because of a requirement of ours.
echo "Newer releases:"
if updates=$("${cargo[@]}" update --dry-run --verbose 2>&1); then
  newer=$(sed -nE 's/^ *(Updating|Downgrading) ([^ ]+) v([^ ]+) -> v([^ ]+).*/\2 \3 \4/p
    s/^ *Unchanged ([^ ]+) v([^ ]+) \((available|requires).*: v?([^ )]+).*/\1 \2 \4/p' <<<"$updates" |
    while read -r name from to; do
      grep -qxF "$name $from" <<<"$names" || continue
      case $name in
        curl-sys | openssl-src | libz-sys) echo "  $name $from -> $to, with a C library inside" ;;
        *) echo "  $name $from -> $to" ;;
      esac
    done)
  echo "${newer:-  none}"
else
  echo "  not looked up: $(grep -m 1 -i error <<<"$updates")"
fi

echo "Known vulnerabilities:"
if ! command -v cargo-audit >/dev/null; then
  echo "  not looked up: cargo-audit is not installed (cargo install cargo-audit)"
elif found=$("${cargo[@]}" audit --quiet --color never ${ADVISORY_DB:+--db "$ADVISORY_DB" --no-fetch --stale} 2>&1); then
  echo "${found:-none in Cargo.lock}" | sed 's/^/  /'
elif grep -q '^ID:' <<<"$found"; then
  sed 's/^/  /' <<<"$found"
else
  echo "  not looked up: $(grep -m 1 -i error <<<"$found")"
fi
