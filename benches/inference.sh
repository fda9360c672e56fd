#!/usr/bin/env bash
# examples/inference_server, the same with libcurl by hand, and the same in Python with Feast's SDK: one load of wrk's on each, with 1,
# 16, 64 and 256 connections and a real `feast serve` with 1 and 2 workers; then what their clients see of Feast's troubles. Prints two
# tables and draws docs/inference.svg. Called by `make bench-inference`.
#   inference.sh INSTALLED_PREFIX VENV REPO [load|faults]
# Shorter: WORKERS=1 CONNECTIONS="16 64" ROUNDS=1 SECONDS_EACH=1 make bench-inference. Machines are noisy: read the ratios within one run.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$(realpath "$1") venv=$(realpath -s "$2") repo=$(realpath "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake -S examples/inference_server -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" -DCOMPARISON=ON >/dev/null
cmake --build "$work/build" --parallel >/dev/null
"$venv/bin/python" examples/inference_server/train.py "$repo/data/expected.json" "$work/model"
export PYTHONDONTWRITEBYTECODE=1
case ${4:-all} in all | load) "$venv/bin/python" benches/inference.py "$work" "$venv" "$repo" "$work/build" "$work/model" docs/inference.svg ;; esac
case ${4:-all} in all | faults) "$venv/bin/python" benches/inference_faults.py "$work" "$venv" "$repo" "$work/build" "$work/model" ;; esac
