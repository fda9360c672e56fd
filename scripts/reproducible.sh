#!/usr/bin/env bash
# Builds and packs what is committed twice, in two folders, one after the other and with other names for the time zone, the language
# and what new files may be, and compares the bytes. Takes twice as long as `make build` and `make packages` from nothing.
source "$(dirname "$0")/common.sh"
scripts/need.sh test
folder=$(realpath -m "$target/reproducible") commit=$(git rev-parse HEAD)
rm -rf "$folder"
mkdir -p "$folder"
unset CARGO_TARGET_DIR NATIVES PACKAGES SO SOURCE_DATE_EPOCH

# What only packs is the same one.
scripts/env.sh java

build() { # CLONE
  git clone --quiet --no-checkout . "$1"
  git -C "$1" -c advice.detachedHead=false checkout --quiet "$commit"
  mkdir "$1/target"
  ln -s "$(realpath "$target/java")" "$1/target"
  (cd "$1" && scripts/packages.sh)
  (cd "$1/target" && find natives packages -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) >"$1.sums"
}

(umask 022 && LC_ALL=C TZ=UTC build "$folder/first")
(umask 077 && LC_ALL=C.UTF-8 TZ=Asia/Tokyo build "$folder/elsewhere/second")
if ! diff "$folder/first.sums" "$folder/elsewhere/second.sums"; then
  echo "These are not the same, in $folder" >&2
  exit 1
fi
wc -l <"$folder/first.sums" | xargs printf '%d files, the same bytes twice\n'
