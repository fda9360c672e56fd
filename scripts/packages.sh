#!/usr/bin/env bash
# The packages of each language, with the natives inside, in PACKAGES: packages.sh [LANGUAGE ...], or all of them.
source "$(dirname "$0")/common.sh"
export NATIVES=$(realpath -m "${NATIVES:-$target/natives}") PACKAGES=$(realpath -m "${PACKAGES:-$target/packages}")
scripts/natives.sh
mkdir -p "$PACKAGES"
(($#)) || set -- $(cd scripts/packages && ls | sed 's/\.sh$//')
for language; do "scripts/packages/$language.sh"; done
