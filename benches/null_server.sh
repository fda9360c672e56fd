# Sourced by the scripts that compare clients: makes bodies and their questions, and starts an nginx that answers each
# from a file, which costs next to nothing. Wants $python and sets $work, a folder that goes away, and $port. The exit
# of the script ends nginx and the process groups that $servers names.
for tool in nginx curl-config; do
  command -v $tool >/dev/null || { echo "$tool is needed (Debian: nginx-light, libcurl4-openssl-dev)" >&2; exit 1; }
done
servers=
work=$(mktemp -d)
trap '[ -s "$work/pid" ] && kill "$(cat "$work/pid")"; for group in $servers; do kill -TERM -- "-$group"; done; rm -rf "$work"' EXIT

"$python" - "$work" <<'PYTHON'
import json, os, random, sys
rng = random.Random(1)
for name, rows, features in (("r1", 1, 10), ("r100", 100, 50)):
    ids = list(range(1000, 1000 + rows))
    names = [f"feature_{i:03d}" for i in range(features)]
    column = lambda values, at: {"values": values, "statuses": ["PRESENT"] * rows, "event_timestamps": [at] * rows}
    results = [column(ids, "1970-01-01T00:00:00Z")]
    for i in range(features):
        values = [rng.randint(0, 10**6) if i % 3 == 2 else rng.random() for _ in range(rows)]
        results.append(column(values, "2026-11-23T01:00:00Z"))
    os.makedirs(f"{sys.argv[1]}/{name}")
    with open(f"{sys.argv[1]}/{name}/get-online-features", "w") as file:
        json.dump({"results": results, "metadata": {"feature_names": ["driver_id"] + names}}, file, separators=(",", ":"))
    with open(f"{sys.argv[1]}/{name}.json", "w") as file:
        json.dump({"features": [f"stats:{n}" for n in names], "entities": {"driver_id": ids}}, file)
PYTHON
free_port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port)
chmod 755 "$work"
cat >"$work/nginx.conf" <<CONF
worker_processes 1; pid $work/pid; error_log $work/errors;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; client_body_buffer_size 1m;
  open_file_cache max=100; sendfile on; client_body_temp_path $work/bodies;
  server { listen 127.0.0.1:$port backlog=4096; root $work; location / { error_page 405 =200 \$uri; } }
}
CONF
nginx -c "$work/nginx.conf"
