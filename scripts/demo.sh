#!/usr/bin/env bash
# Real features from a real Feast server, printed by a C program.
source "$(dirname "$0")/common.sh"
scripts/need.sh demo
scripts/build.sh
scripts/env.sh feast
cc -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror -Iinclude -o "$target/feast_get" examples/c/feast_get.c \
  -L"$release" -lfeast_remote -Wl,-rpath,"$(realpath "$release")"
examples/demo.sh "$target/feast-venv" "$target/feast-repo" "$target/feast_get"
