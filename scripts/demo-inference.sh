#!/usr/bin/env bash
# Shows examples/inference_server, with what it needs.
source "$(dirname "$0")/common.sh"
scripts/need.sh inference
scripts/build.sh
scripts/env.sh feast inference
installed=$(realpath -m "$target/installed") build=$(realpath -m "$target/inference-server") model=$(realpath -m "$target/inference-model")
DESTDIR='' PREFIX=$installed LIBDIR='' INCLUDEDIR='' scripts/install.sh >/dev/null
cmake -S examples/inference_server -B "$build" -DCMAKE_PREFIX_PATH="$installed" >/dev/null
cmake --build "$build" --parallel >/dev/null
"$target/feast-venv/bin/python" examples/inference_server/train.py "$target/feast-repo/data/expected.json" "$model"
examples/inference_server/demo.sh "$target/feast-venv" "$target/feast-repo" "$build/inference_server" "$model"
