#!/usr/bin/env bash
# The Go modules, the header and the static libraries in the one that links them, as a module proxy has them:
# GOPROXY=file://PACKAGES/go. A .zip there, unpacked, serves a `replace`, too.
source "$(dirname "$0")/../common.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
modules=github.com/feast-dev/feast-remote/bindings/go

# As cgo's build tags name a platform.
platform() { # RUST_TARGET
  case $1 in
    x86_64-*-linux-*) local name=linux_amd64 ;;
    aarch64-*-linux-*) local name=linux_arm64 ;;
    *) return 1 ;;
  esac
  [[ $1 != *-musl ]] || name+=_musl
  echo "$name"
}

for folder in bindings/go/*/; do
  module=$modules/$(basename "$folder")
  tree=$scratch/$module@v$version
  mkdir -p "$tree"
  cp -r "$folder." LICENSE "$tree"
  # In the project the modules are side by side.
  sed -i -e "/^replace /d" -e "s|\($modules/feastremote\) v0.0.0|\1 v$version|" "$tree/go.mod"
  if [[ -d $tree/native ]]; then
    cp include/feast_remote.h "$tree/native"
    cp THIRD_PARTY.md CONFIGURATION.md STATISTICS.md "$tree"
    for native in "$NATIVES"/*/; do
      ! name=$(platform "$(basename "$native")") || cp "$native/libfeast_remote.a" "$tree/native/libfeast_remote_$name.a"
    done
  fi
  versions=$PACKAGES/go/$module/@v
  mkdir -p "$versions"
  cp "$tree/go.mod" "$versions/v$version.mod"
  echo "{\"Version\":\"v$version\"}" >"$versions/v$version.info"
  echo "v$version" >"$versions/list"
  python3 - "$scratch" "$module@v$version" "$versions/v$version.zip" <<'PYTHON'
import pathlib, sys, zipfile
root, module, path = sys.argv[1:]
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
    for file in sorted(pathlib.Path(root, module).rglob("*")):
        if file.is_file():  # without the times and rights of this machine
            entry = zipfile.ZipInfo(str(file.relative_to(root)))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, file.read_bytes())
PYTHON
done
