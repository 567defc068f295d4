#!/usr/bin/env bash
# Builds the DNSMOS core with the address, undefined behaviour and thread sanitizers and runs its own tests under each.
# Usage: tests/native/sanitize.sh [build folder]
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build/sanitize}

check() { # sanitizers, mode of the tests
    cmake -S . -B "$build/$1" -DVOICEGAUGE_TESTS=ON -DVOICEGAUGE_SANITIZE="$1" >/dev/null
    cmake --build "$build/$1" --target core_tests --parallel >/dev/null
    echo "== $1"
    "$build/$1/core_tests" "$2"
}

check address,undefined quick
check thread threads
