#!/usr/bin/env bash
# This library, libcurl by hand, Feast's Python client and, where there is Go, net/http with encoding/json, one after the
# other, against a server that costs next to nothing (nginx answering from a file). Called by `make bench`; needs nginx and
# libcurl's header. Machines differ and are noisy: read the ratios within one run.
# Then a large call in parts against a real `feast serve` with two workers.
#   compare.sh INSTALLED_PREFIX VENV REPO
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$(realpath "$1") venv=$(realpath "$2") repo=$(realpath "$3")
python=$venv/bin/python
source benches/null_server.sh
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig CGO_LDFLAGS=-Wl,-rpath,$prefix/lib
read -ra flags <<<"$(pkg-config --cflags --libs feast_remote) -Wl,-rpath,$prefix/lib"
ours() { cc -std=c11 -O2 -pthread -o "$work/$1" "benches/$1.c" "${flags[@]}"; }
by_hand() { cc -std=c11 -O2 -pthread -o "$work/$1" "benches/$1.c" $(curl-config --libs); }
ours feast_remote_client
ours readable_descriptor
ours large_call
by_hand libcurl_by_hand
by_hand libcurl_multi_by_hand
if command -v go >/dev/null; then (cd examples/go && go build -tags feast_remote_system -o "$work/go" ./bench); fi
on_go() { # its callers are goroutines
  if [ -x "$work/go" ]; then "$work/go" net_http "$@"; fi
}

for case in "r1 1 10 20000 1" "r1 1 10 40000 16" "r1 1 10 40000 64" "r100 100 50 1500 1"; do
  read -r name rows features requests threads <<<"$case"
  base=http://127.0.0.1:$port/$name
  echo "== $rows row(s) of $features features, $threads thread(s), three times"
  for _ in 1 2 3; do
    "$work/feast_remote_client" sync "$base" "$rows" "$features" "$requests" "$threads"
    "$work/libcurl_by_hand" "$base/get-online-features" "$work/$name.json" "$requests" "$threads"
    on_go "$base" "$rows" "$features" $((requests / 2)) "$threads"
  done
  if [ "$threads" = 1 ]; then
    "$python" benches/feast_python.py "$base/get-online-features" "$work/$name.json" $((requests / 20 + 50))
  fi
done

for in_flight in 16 64; do
  base=http://127.0.0.1:$port/r1
  echo "== 1 row of 10 features, one thread with $in_flight calls in flight, three times"
  for _ in 1 2 3; do
    "$work/feast_remote_client" async "$base" 1 10 40000 "$in_flight"
    "$work/libcurl_multi_by_hand" "$base/get-online-features" "$work/r1.json" 40000 "$in_flight"
    on_go "$base" 1 10 20000 "$in_flight"
  done
done

echo "== from the last byte of an answer to a readable descriptor"
"$work/readable_descriptor" 20000

serve_feast() { # sets $port
  port=$(free_port)
  (cd "$repo" && FEAST_USAGE=False exec setsid "$venv/bin/feast" serve -p "$port" -w "$1" --no-access-log >"$work/feast.log" 2>&1) &
  servers+=" $!"
  for _ in $(seq 300); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
    if ! kill -0 $! 2>/dev/null; then break; fi
    sleep 0.1
  done
  cat "$work/feast.log" >&2
  exit 1
}

echo "== a call of 1000 rows, in one request and in parts, from feast serve -w 2"
serve_feast 2
"$work/large_call" "http://127.0.0.1:$port" 1000 500 31 8

echo "== the same from two feast serve behind an nginx, which sends each request to the other one in turn"
serve_feast 1
upstream="server 127.0.0.1:$port;"
serve_feast 1
upstream+=" server 127.0.0.1:$port;"
balancer=$(free_port)
sed "s|^  server {.*|upstream feast { $upstream keepalive 8; }\
  server { listen 127.0.0.1:$balancer; location / {\
    proxy_pass http://feast; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_buffers 8 1m; proxy_buffer_size 1m; } }|" \
  "$work/nginx.conf" >"$work/balancer.conf"
kill "$(cat "$work/pid")"
while [ -e "$work/pid" ]; do sleep 0.1; done
nginx -c "$work/balancer.conf"
"$work/large_call" "http://127.0.0.1:$balancer" 1000 500 31 3
