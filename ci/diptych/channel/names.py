"""Names: what conda-forge calls a thing, and where the local channel takes it from. Data only.

Sources: conda-forge's feedstocks (boost, eigen) and the PyPI mapping of prefix-dev/parselmouth, from which
only the names that differ and are likely in a host environment are kept.
"""

from __future__ import annotations

import fnmatch

from packaging.utils import canonicalize_name

# conda-forge name -> PyPI name, where they differ by more than spelling.
PYPI_NAME = {
    "cmake-python-distributions": "cmake",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python",
    "py-lief": "lief",
    "py-opencv": "opencv-python-headless",
    "pyqt": "pyqt5",
    "pytables": "tables",
    "python-blosc": "blosc",
    "python-build": "build",
    "python-duckdb": "duckdb",
    "python-fastjsonschema": "fastjsonschema",
    "python-flatbuffers": "flatbuffers",
    "python-graphviz": "graphviz",
    "python-installer": "installer",
    "python-lmdb": "lmdb",
    "python-xxhash": "xxhash",
    "pytorch": "torch",
    "tensorflow-base": "tensorflow",
}

# conda-forge spellings that PyPI's normalisation would lose (underscores, dots).
SPELLING = {
    canonicalize_name(name): name
    for name in (
        "async_generator",
        "backports.zoneinfo",
        "jaraco.text",
        "jupyter_client",
        "jupyter_core",
        "prompt_toolkit",
        "ruamel.yaml",
        "ruamel.yaml.clib",
        "setuptools_scm",
        "sphinx_rtd_theme",
        "stack_data",
        "typing_extensions",
        "zope.interface",
    )
}

CONDA_NAME = {pypi: conda for conda, pypi in PYPI_NAME.items()} | SPELLING

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
FROM_INTERPRETER = frozenset({"python", "python_abi"})
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
    """Return the canonical PyPI name of a conda package."""
    return canonicalize_name(CUT.get(conda) or PYPI_NAME.get(conda, conda))


def conda_name(pypi: str) -> str:
    """Return what conda-forge calls a PyPI project."""
    canonical = canonicalize_name(pypi)
    return CONDA_NAME.get(canonical, canonical)
