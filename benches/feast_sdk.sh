#!/usr/bin/env bash
# store.get_online_features(…).to_dict() of Feast's Python SDK, over Feast's remote online store and over FeastRemoteOnlineStore,
# in turn, against one real server. Called by `make bench-feast-sdk`.
#   feast_sdk.sh INSTALLED_PREFIX VENV REPOSITORY
set -euo pipefail
cd "$(dirname "$0")/.."
export FEAST_REMOTE_LIBRARY=$(realpath "$1")/lib/libfeast_remote.so PYTHONPATH=$PWD/bindings/python FEAST_USAGE=False
export PYTHONDONTWRITEBYTECODE=1
"$2/bin/python" -W ignore benches/feast_sdk.py "$(realpath "$2")/bin/feast" "$(realpath "$3")"
