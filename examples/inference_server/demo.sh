#!/usr/bin/env bash
# Scores of drivers whose features come from a real Feast server. Called by `make demo-inference`.
#   demo.sh FEAST_VENV FEATURE_REPOSITORY INFERENCE_SERVER MODEL_FOLDER
set -euo pipefail
venv=$(realpath -s "$1") repo=$(realpath "$2") server=$(realpath "$3") model=$(realpath "$4")
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
inference='' feast=''
end() {
  [[ -z $inference ]] || kill "$inference" 2>/dev/null || true
  [[ -z $feast ]] || kill -TERM -- "-$feast" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap end EXIT

port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# In a process group of its own: gunicorn's workers are stopped with their master.
(cd "$repo" && FEAST_USAGE=False exec setsid "$venv/bin/feast" serve -p "$port" --no-access-log >"$work/feast.log" 2>&1) &
feast=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
  kill -0 "$feast" 2>/dev/null || { cat "$work/feast.log" >&2; exit 1; }
  sleep 0.1
done
FEAST_URL=http://127.0.0.1:$port "$server" "$model" "$here/feature_store.yaml" 0 0 >"$work/port" &
inference=$!
until [[ -s $work/port ]]; do kill -0 "$inference"; sleep 0.05; done
url=http://127.0.0.1:$(cat "$work/port")

ask() {
  printf '\n$ curl %s%s\n' "${*:2} " "$1"
  curl -sS "${@:2}" "$url$1"
  echo
}
echo "feast serve on port $port, the inference server at $url. Driver 1003 has a null, 9999 does not exist."
ask /v2/health/ready -w '%{http_code}'
ask /v2/models/driver_score
ask /v2/models/driver_score/infer -d '{"inputs":[{"name":"driver_id","datatype":"INT64","shape":[4],"data":[1001,1002,1003,9999]}]}'
ask /v2/models/driver_score/infer -H 'x-envoy-expected-rq-timeout-ms: 1' \
  -d '{"inputs":[{"name":"driver_id","datatype":"INT64","shape":[1],"data":[1001]}]}'
echo
echo "From /metrics:"
curl -sS "$url/metrics" | grep -E '^(inference_requests_total|inference_rows_total|inference_features_missing_total.* [1-9]|feast_remote_calls_total)'
