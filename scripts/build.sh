#!/usr/bin/env bash
# The release library, shared and static. The two C crate types alone: with the rlib among them rustc would drop LTO.
source "$(dirname "$0")/common.sh"
scripts/need.sh build
cargo rustc --release --lib --crate-type cdylib,staticlib
ln -sf libfeast_remote.so "$release/libfeast_remote.so.0"
