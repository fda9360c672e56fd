#!/usr/bin/env bash
# Debian's packages, for each library in NATIVES that is linked with glibc: PACKAGES/libfeast-remote0_VERSION_ARCHITECTURE.deb with the
# shared library, and libfeast-remote-dev_… with what programs are compiled with. DEB_MAINTAINER says who answers for them.
source "$(dirname "$0")/../common.sh"
if ! command -v dpkg-deb >/dev/null; then
  echo "No dpkg-deb here: no packages for Debian"
  exit
fi
maintainer=${DEB_MAINTAINER:-Feast maintainers <feast-dev@users.noreply.github.com>}
# Less than a revision of Debian's own would be.
deb_version=$version-0feast1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
umask 022

architecture() { # RUST_TARGET: Debian's name, and the name of the folder for its libraries
  case $1 in
    x86_64-*-linux-gnu) echo amd64 x86_64-linux-gnu ;;
    aarch64-*-linux-gnu) echo arm64 aarch64-linux-gnu ;;
    *) return 1 ;;
  esac
}

# The packages whose libraries it is linked with, in the versions that its symbols ask for.
depends() { # LIBRARY
  local newest needed
  newest=$(readelf -W --dyn-syms "$1" | grep -o '@GLIBC_[0-9.]*' | sed 's/@GLIBC_//' | sort -V | tail -n 1)
  needed="libc6 (>= $newest)"
  ! readelf -d "$1" | grep -q 'NEEDED.*libgcc_s' || needed+=", libgcc-s1 (>= 4.2)"
  if readelf -d "$1" | grep NEEDED | grep -qvE '\[(lib(c|m|dl|rt|pthread|gcc_s)\.so\.[0-9]+|ld-linux.*)\]'; then
    echo "deb.sh: $1 needs a library of which this script does not know the package" >&2
    return 1
  fi
  echo "$needed"
}

# The functions that programs are linked with, each with the first version of the package that has it.
symbols() { # LIBRARY
  echo "libfeast_remote.so.0 libfeast-remote0 #MINVER#"
  echo "* Build-Depends-Package: libfeast-remote-dev"
  readelf -W --dyn-syms "$1" | sed -nE 's/.* ([A-Za-z_0-9]+@)@?(FEAST_REMOTE_0).*/ \1\2 '"$version"'/p' | LC_ALL=C sort -u
}

package() { # NAME ARCHITECTURE FIELD...: packs $scratch/NAME
  local name=$1 tree=$scratch/$1 doc=$scratch/$1/usr/share/doc/$1
  install -d "$doc" "$tree/DEBIAN"
  gzip -9nc CHANGELOG.md >"$doc/changelog.gz"
  gzip -9nc "$scratch/changelog" >"$doc/changelog.Debian.gz"
  cp "$scratch/copyright" "$doc"
  (cd "$tree" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
  {
    printf '%s\n' "Package: $name" "Source: feast-remote" "Version: $deb_version" "Architecture: $2" "Maintainer: $maintainer" \
      "Installed-Size: $(find "$tree/usr" -printf '%y %s\n' | awk '{ kb += $1 == "f" ? int(($2 + 1023) / 1024) : 1 } END { print kb }')" \
      "Multi-Arch: same" "Priority: optional" "Homepage: https://feast.dev" "${@:3}"
  } >"$tree/DEBIAN/control"
  chmod -R u=rwX,go=rX "$tree"
  # One thread: how many there are changes what comes out.
  dpkg-deb --root-owner-group --threads-max=1 -Zxz --build "$tree" "$PACKAGES/${name}_${deb_version}_$2.deb" >/dev/null
}

cat >"$scratch/changelog" <<EOF
feast-remote ($deb_version) unstable; urgency=medium

  * Version $version: changelog.gz says what is new.

 -- $maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
EOF
python3 scripts/debian_copyright.py <THIRD_PARTY.md >"$scratch/copyright"
what="client of a Feast feature server"
long=" It fetches online features from a remote Feast feature server over warm
 connections, holds every call to one deadline and hands out typed columns.
 libcurl, OpenSSL and zlib are inside, and do not get in the way of others
 in the same process."

for native in "$NATIVES"/*/; do
  library=$native/libfeast_remote.so
  [[ -e $library ]] && names=$(architecture "$(basename "$native")") || continue
  read -r debian folder <<<"$names"
  rm -rf "$scratch"/libfeast-remote{0,-dev}
  run=$scratch/libfeast-remote0 dev=$scratch/libfeast-remote-dev libdir=usr/lib/$folder
  SO=$library DESTDIR=$dev PREFIX=/usr LIBDIR=/$libdir scripts/install.sh

  install -d "$run/$libdir" "$run/DEBIAN"
  mv "$dev/$libdir"/libfeast_remote.so.* "$run/$libdir"
  chmod -x "$run/$libdir/libfeast_remote.so.$version"
  symbols "$library" >"$run/DEBIAN/symbols"
  echo "libfeast_remote 0 libfeast-remote0 (>= $version)" >"$run/DEBIAN/shlibs"
  echo "activate-noawait ldconfig" >"$run/DEBIAN/triggers"
  install -D -m 644 packaging/debian/libfeast-remote0.lintian-overrides "$run/usr/share/lintian/overrides/libfeast-remote0"
  package libfeast-remote0 "$debian" "Section: libs" "Depends: $(depends "$library")" "Description: $what" "$long" \
    " ." " This package has the shared library."

  ln -sf libfeast_remote.so.0 "$dev/$libdir/libfeast_remote.so"
  install -D -m 644 -t "$dev/usr/share/doc/libfeast-remote-dev" CONFIGURATION.md STATISTICS.md
  install -D -m 644 -t "$dev/usr/share/doc/libfeast-remote-dev/examples" examples/c/minimal.c
  package libfeast-remote-dev "$debian" "Section: libdevel" "Depends: libfeast-remote0 (= $deb_version)" \
    "Description: $what (development files)" "$long" " ." " This package has the headers for C and C++, the static library, and files for" \
    " pkg-config and CMake."
done
