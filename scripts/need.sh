#!/usr/bin/env bash
# What a target needs of the machine: need.sh build|demo|inference|test|bench|bench-inference|site|packages|natives|prebuilt
# What is missing is installed with apt-get by root, where there is one; else one line says what to install, and the target
# ends before anything is built. Python's and Java's packages, and Go, come later, into target/ (scripts/env.sh).
source "$(dirname "$0")/common.sh"

missing=()
need() { # PACKAGE COMMAND...: Debian's package, unless the command succeeds
  "${@:2}" >/dev/null 2>&1 || missing+=("$1")
}
header() { echo "#include <$1>" | cc -E -; }
rust_is() { printf '%s\n' "rustc $1" "$(rustc -V 2>/dev/null)" | sort -VC; }

if ! rust_is 1.89; then
  echo "Rust 1.89 or newer is missing: https://rustup.rs" >&2
  exit 1
fi
need build-essential eval 'command -v cc && command -v c++ && command -v nm && command -v make'
need perl perl -MFindBin -MIPC::Cmd -MTime::Piece -e 1 # for OpenSSL's Configure
need ca-certificates test -e /etc/ssl/certs/ca-certificates.crt -o ! -e /etc/debian_version
case $1 in demo | inference | test | bench | site | natives | prebuilt)
  need python3-venv python3 -c 'import ensurepip, venv, sys; assert sys.version_info >= (3, 10)'
  ;;
esac
case $1 in test | bench)
  need libcurl4-openssl-dev header curl/curl.h
  need maven command -v mvn
  need nginx-light command -v nginx
  need pkg-config command -v pkg-config
  # For network namespaces, which only root can make.
  if ((EUID == 0)); then
    need dnsmasq-base command -v dnsmasq
    need iproute2 command -v ip
    need mount command -v mount
  fi
  ;;
esac
case $1 in inference | bench-inference | test)
  need cmake command -v cmake
  need curl command -v curl
  need libcpp-httplib-dev test -e /usr/include/httplib.h
  need libxgboost-dev header xgboost/c_api.h
  need nlohmann-json3-dev test -e /usr/include/nlohmann/json.hpp
  ;;
esac
if [[ $1 = bench-inference ]]; then need wrk command -v wrk; fi
if [[ $1 = test ]]; then
  need abigail-tools command -v abidiff
  need doxygen command -v doxygen
  need libssl-dev header openssl/ssl.h
  need musl-tools command -v musl-gcc
  need prometheus command -v promtool
  need valgrind command -v valgrind
  # The root of an older Debian, which only root can make.
  if ((EUID == 0)); then need mmdebstrap command -v mmdebstrap; fi
fi
if [[ $1 = site ]]; then
  need chromium command -v chromium
  need doxygen command -v doxygen
  need fonts-dejavu-core test -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
fi
if [[ $1 = packages ]]; then
  need dpkg-dev command -v dpkg-deb
  need lintian command -v lintian
  need mmdebstrap command -v mmdebstrap
fi
case $1 in natives | prebuilt)
  need binutils-aarch64-linux-gnu command -v aarch64-linux-gnu-objcopy
  ;;
esac
if [[ $1 = prebuilt ]]; then
  need gcc-aarch64-linux-gnu command -v aarch64-linux-gnu-gcc
  need libc6-dev-arm64-cross test -e /usr/aarch64-linux-gnu/include/stdio.h
  need maven command -v mvn
  need mmdebstrap command -v mmdebstrap
  need musl test -e "/lib/ld-musl-$(uname -m).so.1"
  need qemu-user-static command -v qemu-aarch64-static
fi
((${#missing[@]})) || exit 0

if ((EUID == 0)) && command -v apt-get >/dev/null; then
  echo "Installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
elif command -v apt-get >/dev/null; then
  echo "Paste: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 1
else
  echo "Install first what Debian's packages of these names hold: ${missing[*]}" >&2
  exit 1
fi
