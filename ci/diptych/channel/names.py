"""What the local channel cuts out of wheels of PyPI, and what it makes from the machine. Data only.

Source: conda-forge's feedstocks (boost, eigen).
"""

from __future__ import annotations

import fnmatch

from diptych import specs
from diptych.pythons import STABLE_ABI

# Packages cut from a cmeel wheel -> (PyPI name, the packages of the same wheel that each needs as well).
BOOST = "cmeel-boost"
EIGEN = "cmeel-eigen"
CUT = {
    "libboost-headers": BOOST,
    "libboost": BOOST,
    "libboost-devel": BOOST,
    "libboost-python": BOOST,
    "libboost-python-devel": BOOST,
    "eigen": EIGEN,
}
CUT_NEEDS = {
    "libboost-devel": ("libboost", "libboost-headers"),
    "libboost-python": ("libboost",),
    "libboost-python-devel": ("libboost-devel", "libboost-python"),
}
# Boost.Python's own NumPy library is linked into nothing, but its headers and its users need numpy.
NEED_NUMPY = frozenset({"libboost-python", "libboost-python-devel"})

# Made from the interpreter.
FROM_INTERPRETER = frozenset({"python", "python_abi", "cpython", "python-gil", STABLE_ABI})
# Made from the compiler's runtime on the machine, where it has one; always there, as Python is.
FROM_MACHINE = frozenset({"libgcc", "libstdcxx"})

# Not Python packages: PyPI has nothing under these names, or something unrelated.
_NEVER_ON_PYPI = (
    "lib*", "*_linux-64", "*_linux-aarch64", "*_osx-64", "*_osx-arm64", "gcc*", "gxx*", "clang*", "binutils*",
    "c-compiler", "cxx-compiler", "fortran-compiler", "compilers", "sysroot*", "boost", "boost-cpp",
    "openssl", "zlib", "zstd", "xz", "bzip2", "sqlite", "fftw", "hdf5", "tbb-devel", "mkl*", "openblas*",
)  # fmt: skip


def never_on_pypi(name: str) -> bool:
    """Tell whether a conda name is known not to be a Python project."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _NEVER_ON_PYPI)


def pypi_name(conda: str) -> str:
    """Return the canonical PyPI name of the project that a conda package is made from."""
    return specs.pypi_name(CUT.get(conda, conda))
