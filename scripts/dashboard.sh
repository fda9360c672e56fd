#!/usr/bin/env bash
# dashboard.sh: docs/dashboard.svg, the panels of docs/grafana-dashboard.json as a real Prometheus answers their queries while a
# program calls two Feast servers, one of which is killed and comes back. Two minutes.
source "$(dirname "$0")/common.sh"
scripts/need.sh test
scripts/build.sh
scripts/env.sh feast
FEAST_REMOTE_LIBRARY=$(realpath "$release/libfeast_remote.so") PYTHONPATH=examples/python:bindings/python \
  "$target/feast-venv/bin/python" scripts/dashboard.py "$target/feast-venv" "$target/feast-repo" docs/grafana-dashboard.json docs/dashboard.svg
