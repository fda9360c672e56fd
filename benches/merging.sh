#!/usr/bin/env bash
# Calls of one row and three features, merged (merge_max_rows), not merged, and merged by the program itself, against a real
# `feast serve` with 1, 2 and 4 workers. Called by `make bench-merging`; about twelve minutes.
#   merging.sh INSTALLED_PREFIX VENV REPO
# Shorter: WORKERS="1" ROUNDS=1 SECONDS_EACH=1 make bench-merging. Machines are noisy: read the ratios within one run.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$(realpath "$1") venv=$(realpath "$2") repo=$(realpath "$3")
python=$venv/bin/python
read -ra workers <<<"${WORKERS:-1 2 4}"
rounds=${ROUNDS:-3} each=${SECONDS_EACH:-2}
work=$(mktemp -d)
servers=
trap 'for group in $servers; do kill -TERM -- "-$group" 2>/dev/null; done; rm -rf "$work"' EXIT
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
read -ra flags <<<"$(pkg-config --cflags --libs feast_remote) -Wl,-rpath,$prefix/lib"
cc -std=c11 -O2 -pthread -o "$work/client" benches/merging_client.c "${flags[@]}" -lm
cc -std=c11 -O2 -pthread -o "$work/rows_server" benches/rows_server.c

serve() { # WORKERS: sets $url
  local port
  port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  (cd "$repo" && FEAST_USAGE=False exec setsid "$venv/bin/feast" serve -p "$port" -w "$1" --no-access-log >"$work/feast.log" 2>&1) &
  servers=$!
  until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 "$servers" || { cat "$work/feast.log" >&2; exit 1; }
    sleep 0.1
  done
  url=http://127.0.0.1:$port
}
stop() {
  kill -TERM -- "-$servers"
  wait "$servers" 2>/dev/null || true
  servers=
}
run() { # CASE WAY CALLERS [N]
  local case=$1
  shift
  printf '%s %s\n' "$case" "$("$work/client" "$url" "$1" "$2" "$each" "${@:3}")" | tee -a "$work/results"
}

for count in "${workers[@]}"; do
  serve "$count"
  "$work/client" "$url" plain 16 1 >/dev/null
  for _ in $(seq "$rounds"); do
    for callers in 1 2; do
      for way in plain merged; do run "w$count" $way $callers; done
    done
    for callers in 16 64 256; do
      for way in plain merged; do run "w$count" $way $callers; done
      for in_flight in 1 2 4; do run "w$count" hand $callers $in_flight; done
    done
    for callers in 64 256; do
      for way in async async-merged; do run "w$count" $way $callers; done
    done
  done
  if [ "$count" = "${workers[0]}" ]; then
    bears=$("$python" benches/merging_summary.py bears "$work/results")
    for _ in $(seq "$rounds"); do
      for percent in 20 50 80; do
        for way in open open-merged; do run "at-$percent%" $way 64 $((bears * percent / 100)); done
      done
      for every in 1000 100 10; do
        for way in bad bad-merged; do run "1-in-$every" $way 64 $every; done
      done
    done
  fi
  stop
done

setsid "$work/rows_server" >"$work/port" &
servers=$!
until [ -s "$work/port" ]; do sleep 0.05; done
url=http://127.0.0.1:$(cat "$work/port")
for _ in $(seq "$rounds"); do
  for callers in 1 2 64; do
    for way in plain merged; do run null $way $callers; done
  done
done
"$python" benches/merging_summary.py table "$work/results"
