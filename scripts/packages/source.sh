#!/usr/bin/env bash
# The sources as they are committed, PACKAGES/feast_remote-VERSION-source.tar.gz, and what builds from them: a recipe for Conan and a
# port for vcpkg, each in a folder with the tarball. cargo fetches the crates that Cargo.lock names.
source "$(dirname "$0")/../common.sh"
if [[ ! -e .git ]]; then
  echo "The sources are packed from a clone of the repository; this is none"
  exit
fi
name=feast_remote-$version
tarball=$PACKAGES/$name-source.tar.gz
git -c tar.umask=022 archive --format=tar --prefix="$name/" HEAD | gzip -9n >"$tarball"

rm -rf "$PACKAGES"/{conan,vcpkg}
cp -r packaging/{conan,vcpkg} "$PACKAGES"
sed -i "s|@VERSION@|$version|" "$PACKAGES"/vcpkg/feast-remote/{vcpkg.json,portfile.cmake}
cp "$tarball" "$PACKAGES/conan"
cp "$tarball" "$PACKAGES/vcpkg/feast-remote"
