#!/usr/bin/env bash
# Real features from a real Feast server, printed by a C program. Called by `make demo`.
#   demo.sh VENV REPO FEAST_GET
set -euo pipefail
venv=$(realpath "$1") repo=$(realpath "$2") feast_get=$(realpath "$3")

free_port() { "$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port)
log=$(mktemp)
# In a process group of its own: gunicorn's workers are stopped with their master.
(cd "$repo" && FEAST_USAGE=False exec setsid "$venv/bin/feast" serve -p "$port" --no-access-log >"$log" 2>&1) &
server=$!
trap 'kill -TERM -- "-$server" 2>/dev/null || kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -f "$log"' EXIT

for _ in $(seq 300); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  if ! kill -0 "$server" 2>/dev/null; then cat "$log" >&2; exit 1; fi
  sleep 0.1
done

echo "Drivers 1001 to 1003 and 9999 from feast serve on port $port (1003 has nulls, 9999 does not exist):"
echo
"$feast_get" --path "http://127.0.0.1:$port" --calls 2 \
  --feature driver_hourly_stats:conv_rate --feature driver_hourly_stats:avg_daily_trips \
  --feature driver_hourly_stats:home_city --entity driver_id=1001,1002,1003,9999 2>"$log.calls"
echo
sed -e 's/^call 1:/The first call, which connects:/' -e 's/^call 2:/The second, on the warm connection:/' "$log.calls"
rm -f "$log.calls"
