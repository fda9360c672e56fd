#!/usr/bin/env bash
# One small benchmark through each language's way in, beside what one would write there by hand, against a server that
# costs next to nothing. Called by `make bench-front-doors`; needs nginx and libcurl's header.
#   front_doors.sh INSTALLED_PREFIX VENV JAVA
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$(realpath "$1") venv=$(realpath "$2") java=$(realpath "$3")
python=$venv/bin/python
source benches/null_server.sh
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig CGO_LDFLAGS=-Wl,-rpath,$prefix/lib FEAST_REMOTE_LIBRARY=$prefix/lib/libfeast_remote.so
read -ra flags <<<"$(pkg-config --cflags --libs feast_remote) -Wl,-rpath,$prefix/lib"
cc -std=c11 -O2 -pthread -o "$work/c" benches/feast_remote_client.c "${flags[@]}"
cc -std=c11 -O2 -pthread -shared -fPIC -o "$work/client.so" benches/feast_remote_client.c "${flags[@]}"
cc -std=c11 -O2 -o "$work/plugin_host" benches/plugin_host.c -ldl
c++ -std=c++17 -O2 -pthread -o "$work/cpp" benches/feast_remote_client.cpp "${flags[@]}"
(cd examples/go && go build -tags feast_remote_system -o "$work/go" ./bench)
"$java/home/bin/java" -jar "$java"/jars/ecj-*.jar -source 22 -target 22 -warn:none -cp "$(printf '%s:' "$java"/jars/*.jar)" \
  -d "$work/classes" examples/java/Bench.java bindings/java/src/main/java/feast
on_java() {
  "$java/home/bin/java" --enable-native-access=ALL-UNNAMED -Dfeast.remote.library="$FEAST_REMOTE_LIBRARY" \
    -cp "$work/classes:$java/jars/*" Bench "$@"
}

for case in "r1 1 10 10000 1" "r1 1 10 32000 16" "r100 100 50 1000 1" "r100 100 50 3200 16"; do
  read -r name rows features requests callers <<<"$case"
  base=http://127.0.0.1:$port/$name
  arguments=("$base" "$rows" "$features" "$requests" "$callers")
  echo "== $rows row(s) of $features features, $callers caller(s), three times"
  for _ in 1 2 3; do
    "$work/c" sync "${arguments[@]}"
    "$work/plugin_host" "$work/client.so" sync "${arguments[@]}" | sed 's/-sync/-plugin/'
    "$work/cpp" "${arguments[@]}"
    for client in feast_remote feast_remote_uncancellable net_http; do "$work/go" $client "${arguments[@]}"; done
    for client in feast_remote java_http; do on_java $client "${arguments[@]}"; done
    if [ "$callers" = 1 ]; then
      "$python" benches/feast_remote_python.py "$base" "$rows" "$features" $((requests / 10))
      "$python" benches/feast_python.py "$base/get-online-features" "$work/$name.json" $((requests / 10))
    fi
  done
done
