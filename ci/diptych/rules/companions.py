"""Whom a package relies on for a library that it does not have: distributions and conda packages that it requires.

Their contents are not here, so this answers from names: a search that led into a folder named for a required distribution, or a
library that such a distribution is known to bring. ``--with`` lays the companions beside the package, and then nothing is guessed.
"""

from __future__ import annotations

import re

from diptych.closure import Loaded
from diptych.rules.evidence import CondaFacts, Evidence
from diptych.rules.names import stem
from diptych.rules.places import SITE

# What is loaded with a required distribution before the module asks: beginnings of library names.
_BRINGS = {
    "torch": ("libtorch", "libc10", "libshm", "libcaffe2"),
    "tensorflow": ("libtensorflow",),
    "pyarrow": ("libarrow", "libparquet"),
    "mkl": ("libmkl",),
    "intel-openmp": ("libiomp5",),
    "pyqt5-qt5": ("libQt5",),
    "pyqt6-qt6": ("libQt6",),
    "pyside6-essentials": ("libQt6", "libpyside6", "libshiboken6"),
    "pyside6-addons": ("libQt6",),
}
# Words of names that say nothing about what is inside.
_GENERIC = {
    "python",
    "py",
    "lib",
    "libs",
    "core",
    "api",
    "cpp",
    "cu11",
    "cu12",
    "cu13",
    "bin",
    "data",
    "types",
    "stubs",
}
_SHORT = 3

# Conda packages that bring no library but those named with them, neither themselves nor by what they depend on.
_PYTHONS = frozenset(
    [
        "libssl",
        "libcrypto",
        "libz",
        "libbz2",
        "liblzma",
        "libsqlite3",
        "libffi",
        "libreadline",
        "libhistory",
        "libncurses",
        "libncursesw",
        "libtinfo",
        "libtinfow",
        "libtk8.6",
        "libtcl8.6",
        "libtk",
        "libtcl",
        "libuuid",
        "libexpat",
        "libmpdec",
        "libpanel",
        "libpanelw",
        "libform",
        "libformw",
        "libmenu",
        "libmenuw",
        "libintl",
        "libzstd",
        "libcrypt",
        "libnsl",
        "libgettextlib",
    ]
)
_BARREN = re.compile(
    r"__\w+|python|python_abi|python-gil|cpython|pip|setuptools|wheel|libstdcxx(-ng)?|libgcc(-ng)?|libgomp|_openmp_mutex|libcxx|"
    r"libgfortran\w*|tzdata|packaging|typing[_-]extensions|six|certifi"
)
_COMPILERS = (
    "libgomp",
    "libgfortran",
    "libquadmath",
    "libstdc++",
    "libgcc_s",
    "libc++",
    "libc++abi",
    "libatomic",
    "libomp",
)


def relied_on(entry: Loaded, evidence: Evidence) -> str:
    """Return the required distributions that probably bring a library to a wheel, with commas; empty for none."""
    folders = {word for tried in entry.searched for word in _folder_words(tried.path)}
    library = stem(entry.name).removeprefix("lib")
    named = {_plain(part) for part in (library, *re.split(r"[-_.]", library))} - _GENERIC
    by_library = [
        name
        for name in evidence.requires
        if any(library.startswith(begin.removeprefix("lib")) for begin in _BRINGS.get(name, ()))
        or _words(name) & {word for word in named if len(word) >= _SHORT}
    ]
    runtime = f"lib{library}".startswith(_COMPILERS)  # no sibling's folder is filled with these
    by_folder = [name for name in evidence.requires if not runtime and _words(name) & folders]
    return ", ".join(dict.fromkeys((*by_library, *by_folder)))


def fills(folder: str, evidence: Evidence) -> bool:
    """Tell whether a folder below site-packages is named for a required distribution, which may fill it."""
    words = _folder_words(f"{folder}/x")
    return any(_words(name) & words for name in evidence.requires)


def _words(name: str) -> set[str]:
    return {name, *(part for part in name.split("-") if len(part) >= _SHORT)} - _GENERIC


def _folder_words(path: str) -> set[str]:
    """Return the folders of a path below site-packages; those of a repair tool (``name.libs``) are the wheel's own."""
    if not path.startswith(f"{SITE}/") and "/cmeel.prefix/" not in path:
        return set()
    parts = path.removeprefix(f"{SITE}/").split("/")[:-1]
    return {
        _plain(part.split(".")[0]) for part in parts if not part.endswith((".libs", ".dylibs"))
    } - _GENERIC


def _plain(word: str) -> str:
    return re.sub(r"[-_.]+", "-", word).lower()


def nobody_brings(name: str, package: CondaFacts) -> bool:
    """Tell whether it is known that no run dependency of a conda package brings a library."""
    depends = {
        spec.split()[0].partition("::")[2] or spec.split()[0] for spec in package.depends if spec.strip()
    }
    if not all(_BARREN.fullmatch(one) for one in depends):
        return False
    library = stem(name)
    if library.startswith(_COMPILERS):  # DIP504 speaks of the compilers' runtimes
        return False
    return not ("python" in depends and library in _PYTHONS)
