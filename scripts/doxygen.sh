#!/usr/bin/env bash
# The header's manual in HTML, in target/doxygen.
source "$(dirname "$0")/common.sh"
mkdir -p "$target/doxygen"
(cat packaging/Doxyfile; echo "OUTPUT_DIRECTORY=$target/doxygen") | doxygen -
