#!/usr/bin/env bash
# Several servers: failover, setting aside, balance and hedging, against real `feast serve` processes where it matters and else
# against servers that cost next to nothing. Called by `make bench-servers`; about seven minutes.
#   servers.sh INSTALLED_PREFIX VENV REPO
# Shorter: SCENARIOS="slow black_hole" make bench-servers. Machines are noisy: read the ratios within one run.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$(realpath "$1") venv=$(realpath "$2") repo=$(realpath "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
read -ra flags <<<"$(pkg-config --cflags --libs feast_remote) -Wl,-rpath,$prefix/lib"
cc -std=c11 -O2 -pthread -o "$work/client" benches/servers_client.c "${flags[@]}" -lm
cc -std=c11 -O2 -pthread -o "$work/rows_server" benches/rows_server.c
"$venv/bin/python" benches/servers.py "$work" "$venv" "$repo" ${SCENARIOS:-}
