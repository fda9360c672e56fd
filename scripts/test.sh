#!/usr/bin/env bash
# Everything that is tested, and at the end the sum of the counts.
source "$(dirname "$0")/common.sh"
scripts/need.sh test
scripts/build.sh
scripts/env.sh
source scripts/common.sh # for Go
skip=()
if ((EUID != 0)); then
  echo "Only root can make the root of an older Debian: the test of an older glibc is left out"
  skip=(-- --skip works_with_an_older_glibc)
fi
tests/run.sh "${skip[@]}"
