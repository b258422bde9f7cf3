#!/usr/bin/env bash
set -eu
cmake -S "$SRC_DIR" -B "$SRC_DIR/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$PREFIX" \
  -DPython_EXECUTABLE="$PYTHON" -DPython_ROOT_DIR="$PREFIX"
cmake --build "$SRC_DIR/build"
cmake --install "$SRC_DIR/build" --prefix "$PREFIX/lib/python$PY_VER/site-packages"
"$PYTHON" -m pip install --no-deps --no-build-isolation "$SRC_DIR"
