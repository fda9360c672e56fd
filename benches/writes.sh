#!/usr/bin/env bash
# Rows of seven columns written to the online store (SQLite) of a real `feast serve`, by this library and by Feast's own client
# over its remote online store, which sends them in one request. Called by `make bench-writes`; about five minutes.
#   writes.sh INSTALLED_PREFIX VENV REPO
# Shorter: ROWS=10000 ROUNDS=1 make bench-writes.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$(realpath "$1") venv=$(realpath "$2") repo=$(realpath "$3")
rows=${ROWS:-100000} rounds=${ROUNDS:-3}
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -TERM -- "-$server" 2>/dev/null || true; rm -rf "$work"' EXIT
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
read -ra flags <<<"$(pkg-config --cflags --libs feast_remote) -Wl,-rpath,$prefix/lib"
cc -std=c11 -O2 -o "$work/client" benches/writes_client.c "${flags[@]}"

# Copies: what is written is not what the tests read.
cp -r "$repo" "$work/served"
port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
(cd "$work/served" && FEAST_USAGE=False exec setsid "$venv/bin/feast" serve -p "$port" --no-access-log >"$work/feast.log" 2>&1) &
server=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
  kill -0 "$server" || { cat "$work/feast.log" >&2; exit 1; }
  sleep 0.1
done
mkdir "$work/client_repo"
cat >"$work/client_repo/feature_store.yaml" <<YAML
project: drivers
provider: local
registry: $work/served/data/registry.db
online_store:
  type: remote
  path: http://127.0.0.1:$port
offline_store:
  type: file
entity_key_serialization_version: 3
YAML
"$work/client" "http://127.0.0.1:$port" 100 >/dev/null
for _ in $(seq "$rounds"); do
  "$work/client" "http://127.0.0.1:$port" "$rows"
  FEAST_USAGE=False "$venv/bin/python" -W ignore benches/writes_feast.py "$work/client_repo" "$rows" || echo "feast failed"
done
