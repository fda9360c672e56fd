#!/usr/bin/env bash
# Feast's own tests of its remote online store, from a checkout of Feast that FEAST_SOURCE names (nothing of it is copied), over
# Feast's class and over FeastRemoteOnlineStore, and which of them pass with which. Tests of containers and clouds are left out.
source "$(dirname "$0")/common.sh"
tests=${FEAST_SOURCE:?names a checkout of https://github.com/feast-dev/feast}/sdk/python
scripts/env.sh feast
venv=$(realpath -m "$target/feast-conformance-venv")
if [[ ! -e $venv/installed ]]; then
  "$target/feast-venv/bin/python" -m venv "$venv"
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  "$target/feast-venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$site/feast.pth"
  "$venv/bin/pip" install --quiet --disable-pip-version-check pytest pytest-asyncio pytest-timeout pytest-mock testcontainers minio moto python-keycloak assertpy botocore boto3
  ln -sf "$(realpath "$target/feast-venv/bin/feast")" "$venv/bin/feast"
  touch "$venv/installed"
fi
export FEAST_REMOTE_LIBRARY=$(realpath "$so") PYTHONPATH=$PWD/bindings/python:$PWD/bindings/python/tests PYTHONDONTWRITEBYTECODE=1
export FEAST_USAGE=False IS_TEST=True PATH=$venv/bin:$PATH
results=$(mktemp -d)
cd "$tests"
mapfile -t all < <(find tests -name 'test_remote_online_store.py' -o -name 'test_milvus_remote.py' -o -name 'test_push_online.py' \
  -o -name 'test_python_feature_server.py' -o -name 'test_universal_online*.py' | sort)
for store in remote feast_remote; do
  for kind in unit integration; do
    options=()
    [[ $kind = unit ]] || options=(--integration)
    mapfile -t files < <(printf '%s\n' "${all[@]}" | grep "^tests/$kind/")
    # A group of its own, since Feast's tests leave servers running.
    set -m
    FEAST_CONFORMANCE_STORE=$store "$venv/bin/python" -m pytest -p no:cacheprovider -p over_both_stores --timeout 120 -q -rA -W ignore \
      -k 'not oidc and not kubernetes and not auth_config2' --continue-on-collection-errors "${options[@]}" "${files[@]}" \
      >"$results/$store.$kind.log" 2>&1 &
    set +m
    wait $! || true
    kill -- -$! 2>/dev/null || true
    tail -n 1 "$results/$store.$kind.log" | sed "s/^/$store, $kind: /"
  done
  # A name has no blank but in its parameters, where the text of a file may stand.
  sed -n 's/^\(PASSED\|FAILED\|ERROR\|SKIPPED\) \(tests[^ ]*\).*/\2 \1/p' "$results/$store".*.log | sort -u >"$results/$store"
done
echo "== test, with Feast's store, with ours"
join -a 1 -a 2 -e - -o 0,1.2,2.2 "$results/remote" "$results/feast_remote"
echo "The whole output: $results/"
