"""What names say: libpython, extension modules, Boost.Python's digits, grafted libraries with a hash."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diptych.pythons import STABLE, is_free_threaded, plain

# Experiment X1 (tests/integration/make_linkage_fixtures.py): auditwheel's own pattern knows neither t, d, td nor libpython3.so.
_LIBPYTHON = re.compile(
    r"libpython(?P<major>\d)(?:-[0-9a-f]{8})?(?:\.(?P<minor>\d+))?(?P<flags>[a-z]*)(?:-[0-9a-f]{8})?"
    r"(?:\.so(?:\.[\d.]+)?|(?:\.[\d.]+)?\.dylib)"
)
_FRAMEWORK = re.compile(r"(?:^|/)Python[A-Z]?\.framework/Versions/(?P<version>[\d.]+t?)/Python[A-Z]?$")
_MODULE = re.compile(
    r"(?P<name>[^./]+)(?:\.(?P<tag>(?:cpython|cp|abi3t?|pypy|graalpy)[^.]*))?\.(?:so|pyd|dylib)$"
)
_CPYTHON = re.compile(r"(?:cpython-|cp)(?P<digits>\d)(?P<minor>\d+)(?P<flags>[tdm]*)(?:-(?P<platform>.+))?")
_BOOST = re.compile(r"libboost_(?P<part>python|numpy)(?P<digits>\d+)?")
# auditwheel: libfoo-0123abcd.so.1; delocate's are unchanged; meson-python and others: libfoo.0123abcd.so
_HASHED = re.compile(r"-[0-9a-f]{8}(?=[.-])")
_SUFFIX = re.compile(r"(?:\.so(?:\.[\w.]+)?|(?:\.[\d.]+)?\.dylib|\.[\d.]+\.dylib)$")


@dataclass(frozen=True, kw_only=True)
class PythonAbi:
    """Which Python something is for.

    Attributes:
        version: like ``3.11``; empty for libpython3.so.
        flags: ``t``, ``d``, ``td``, ``m`` or empty.
    """

    version: str
    flags: str = ""

    def __str__(self) -> str:
        return f"{self.version}{self.flags}"

    @property
    def tag(self) -> str:
        """The ABI tag: ``cp313t``."""
        return f"cp{self.version.replace('.', '')}{self.flags}"


@dataclass(frozen=True, kw_only=True)
class ModuleName:
    """The file name of an extension module, taken apart.

    Attributes:
        name: what is imported.
        tag: ``cpython-311-x86_64-linux-gnu``, ``abi3``, or empty.
        python: the Python of the tag; None for abi3 and for a plain ``.so``.
        platform: like ``x86_64-linux-gnu``; may be empty.
    """

    name: str
    tag: str = ""
    python: PythonAbi | None = None
    platform: str = ""

    @property
    def stable(self) -> bool:
        """Whether the name claims the stable ABI."""
        return self.tag in STABLE


def libpython(needed: str) -> PythonAbi | None:
    """Return the Python whose library this is, or None when it is none: plain, t, d, td, libpython3, framework."""
    if match := _FRAMEWORK.search(needed):
        version = match["version"]
        return PythonAbi(
            version=plain(version), flags="t" if is_free_threaded(version) or needed.endswith("T") else ""
        )
    match = _LIBPYTHON.fullmatch(needed.rpartition("/")[2])
    if match is None:
        return None
    version = f"{match['major']}.{match['minor']}" if match["minor"] else ""
    return PythonAbi(version=version, flags=match["flags"])


def module_name(place: str) -> ModuleName | None:
    """Take the file name of an extension module apart; None when it is not the name of one."""
    match = _MODULE.fullmatch(place.rpartition("/")[2])
    if match is None:
        return None
    tag = match["tag"] or ""
    python = _CPYTHON.fullmatch(tag)
    if python is None:
        return ModuleName(name=match["name"], tag=tag)
    abi = PythonAbi(version=f"{python['digits']}.{python['minor']}", flags=python["flags"].replace("m", ""))
    return ModuleName(name=match["name"], tag=tag, python=abi, platform=python["platform"] or "")


def abi_of_tag(tag: str) -> PythonAbi | None:
    """Return the Python of an ABI tag such as ``cp313t``; None for ``abi3``, ``none``, ``pypy…``."""
    match = _CPYTHON.fullmatch(tag)
    if match is None:
        return None
    return PythonAbi(version=f"{match['digits']}.{match['minor']}", flags=match["flags"].replace("m", ""))


def boost_python(needed: str) -> str | None:
    """Return the digits of ``libboost_python311.so.1.86.0`` (empty when it has none); None for other libraries."""
    match = _BOOST.match(needed.rpartition("/")[2])
    return None if match is None or match["part"] != "python" else match["digits"] or ""


def is_musl_library(needed: str) -> bool:
    """Tell whether a needed name is musl's own C library."""
    return needed.startswith(("libc.musl-", "ld-musl-")) or needed == "libc.so"


def without_hash(name: str) -> str:
    """Undo what grafting does to a library's name: ``libgomp-a34b3233.so.1.0.0`` → ``libgomp.so.1.0.0``."""
    return _HASHED.sub("", name.rpartition("/")[2])


def stem(name: str) -> str:
    """Return a library's name without hash, version and suffix: ``libgomp``."""
    return _SUFFIX.sub("", without_hash(name))
