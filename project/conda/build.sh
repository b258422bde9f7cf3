#!/usr/bin/env bash
# Put the package into $SP_DIR: from a ready install tree if DIPTYCH_STAGE names one, else by compiling.
set -euo pipefail

if [[ -n "${DIPTYCH_STAGE:-}" ]]; then
    mkdir -p "$SP_DIR"
    cp -R "$DIPTYCH_STAGE"/. "$SP_DIR"/
    exit 0
fi

# CMAKE_ARGS comes with the compiler packages of conda-forge (install names, cross compilation).
# shellcheck disable=SC2086
cmake -S . -B build -G Ninja ${CMAKE_ARGS:-} \
    -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$PREFIX" \
    -DPython_EXECUTABLE="$PYTHON"
cmake --build build
cmake --install build --prefix "$SP_DIR"
