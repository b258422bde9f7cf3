"""Conda packages that a build uses and nothing is compiled against."""

from __future__ import annotations

# Brought by Diptych, by the cell, or by the build backend.
TOOLS = frozenset({
    "python", "pip", "setuptools", "wheel", "python-build", "build", "cmake", "make", "ninja", "meson", "meson-python", "pkg-config",
    "pkgconfig", "scikit-build-core", "scikit-build", "hatchling", "flit-core", "poetry-core", "pdm-backend", "maturin", "cython", "swig",
    "setuptools-scm", "setuptools_scm", "versioneer", "cmeel", "git", "patchelf", "ccache", "sccache", "cross-python", "python_abi",
    "c-compiler", "cxx-compiler", "fortran-compiler", "compilers", "gcc", "gxx", "clang", "clangxx",
})  # fmt: skip
