#!/usr/bin/env bash
# More callers than connections, and short deadlines: how many of the calls are answered. Two connections to a server that takes 50 ms,
# 170 ms for each call, and 4 callers, whom that serves, then twice and four times as many. Called by `make bench-overload`; half a
# minute.
#   overload.sh INSTALLED_PREFIX
# OVERLOAD_SECONDS=3 of each.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$(realpath "$1") seconds=${OVERLOAD_SECONDS:-8}
work=$(mktemp -d)
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
read -ra flags <<<"$(pkg-config --cflags --libs feast_remote) -Wl,-rpath,$prefix/lib"
cc -std=c11 -O2 -pthread -o "$work/client" benches/servers_client.c "${flags[@]}" -lm
cc -std=c11 -O2 -pthread -o "$work/rows_server" benches/rows_server.c
mkfifo "$work/port"
"$work/rows_server" 50 >"$work/port" &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
exec 3<"$work/port"
read -r port <&3
for callers in 4 8 16; do
  sleep "$seconds" | "$work/client" "http://127.0.0.1:$port" "$callers" 0 connection_pool_size=2 request_timeout_ms=170 2>/dev/null |
    tail -n 1 | python3 -c '
import json, sys
callers, last = sys.argv[1], json.load(sys.stdin)
answered, stats = last["calls"] - last["errors"], last["stats"]
print("%2s callers: %.1f answers/s, %.1f errors/s (%d of them timed out), %d connections" % (
    callers, answered / last["t"], last["errors"] / last["t"], last["errors"] - stats["calls_overloaded"],
    stats["connections_opened"]))' "$callers"
done
