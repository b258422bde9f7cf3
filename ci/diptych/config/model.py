"""The one settings model of ``[tool.diptych]``.

Each field is a key (``test_requires`` is written ``test-requires``): its annotation is the kind of its
value, its default is the default, and the string below it is its documentation. The parser, ``schema.json``
and the reference page all follow from this file: after an edit, run ``python -m diptych.config.generate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from diptych.config import forms
from diptych.config.kinds import Choice, Flag, ListOf, Table, TableOf, keys

BuilderName: TypeAlias = Literal["auto", "pep517", "cmake"]
InSourceWay: TypeAlias = Literal["paths", "relink"]

_ENVIRONMENT = TableOf(name=forms.VARIABLE, value=forms.VALUE)


@dataclass(frozen=True, kw_only=True)
class CellSettings:
    """The keys that may differ from cell to cell: they stand in `[tool.diptych]` and in overrides."""

    channels: Annotated[tuple[str, ...], ListOf(item=forms.CHANNEL, unique=True, least=1)] = ("conda-forge",)
    """The conda channels that host environments are solved from, first come first served: names, URLs, or
    `local` for the channel that Diptych makes from what is on the machine and on PyPI. Beside others, `local`
    stands in where one of them cannot be reached, also under CI."""

    host: Annotated[tuple[str, ...], ListOf(item=forms.SPEC, unique=True)] = ()
    """What the extension compiles against, as conda match specs. Python itself is the cell's and is added."""

    run: Annotated[tuple[str, ...], ListOf(item=forms.SPEC, unique=True)] = ()
    """Run dependencies of the conda package that neither linking nor `project.dependencies` tells."""

    names: Annotated[Mapping[str, str], TableOf(name=forms.FOREIGN_NAME, value=forms.SPEC)] = field(
        default_factory=dict, hash=False
    )
    """What conda calls things that Diptych does not know under that name: projects of PyPI (`mylib = "python-mylib"`), for the run
    dependencies of the conda package; CMake packages, pkg-config modules and libraries (`"cmake:Foo" = "libfoo-devel"`), for
    `diptych init`, which completes a table that has nothing else."""

    test: Annotated[str, forms.COMMAND] = "pytest -q {source}/tests"
    """The command that runs the project's tests, in source and against what was installed. `{source}` is
    the source folder and `{python}` the cell's interpreter. It is split into words as a shell would, but no
    shell runs it. `python -m diptych_imports` stands in where there are no tests: it imports the package and each compiled module
    in it."""

    test_sources: Annotated[tuple[str, ...], ListOf(item=forms.PATH, unique=True)] = ()
    """Files and folders that are copied, with their paths relative to `source`, into an empty folder in which `test` then runs:
    for tests that lie inside the package, or beside it at the top, where Python would import the package from its sources."""

    test_requires: Annotated[tuple[str, ...], ListOf(item=forms.SPEC, unique=True)] = ("pytest",)
    """What the tests need besides the project, under names that conda and PyPI share."""

    benchmark: Annotated[str | None, forms.COMMAND] = None
    """A command that times what matters to the project's users, such as `python {source}/bench/run.py`. `diptych
    compare --measure` runs it against both installed packages and shows its wall time side by side, with the numbers
    of the last line of its output that is a JSON object. It gets what the package depends on and nothing else; `python`
    is the environment's. The words are as in `test`."""

    builder: Annotated[BuilderName, Choice(names=("auto", "pep517", "cmake"))] = "auto"
    """What compiles. `pep517`: the project's own build backend makes a wheel (scikit-build-core, meson-python, setuptools,
    hatchling and any other). `cmake`: CMake alone, whose install rules lay the package out as site-packages, or
    a library with its bindings as a prefix. `auto` is `pep517` where `pyproject.toml` has a `[build-system]` or a `setup.py`
    stands beside it, and `cmake` elsewhere; where a CMakeLists.txt stands beside a setuptools that compiles nothing, CMake
    compiles and setuptools brings the Python files."""

    config_settings: Annotated[Mapping[str, str], TableOf(name=forms.SETTING, value=forms.VALUE)] = field(
        default_factory=dict, hash=False
    )
    """Settings for the build backend, as `pip install -C NAME=VALUE` gives them (PEP 517)."""

    build_isolation: Annotated[bool, Flag()] = True
    """Whether the build backend gets an environment of its own with what it asks for, from PyPI. With `false` it runs in the host
    environment, as in conda-forge's recipes: `host` then names the backend and all that it needs."""

    cmake_args: Annotated[tuple[str, ...], ListOf(item=forms.ARGUMENT)] = ()
    """Further arguments of CMake's configure step, such as `-DWITH_X=ON`."""

    build_type: Annotated[str, forms.BUILD_TYPE] = "Release"
    """CMake's build type."""

    build_limit: Annotated[str, forms.DURATION] = "6 h"
    """How long one call of the build backend, or one of CMake, may take. After that it is ended with all that it has started."""

    env: Annotated[Mapping[str, str], _ENVIRONMENT] = field(default_factory=dict, hash=False)
    """Environment variables of the compile and of the tests."""

    in_source: Annotated[InSourceWay, Choice(names=("paths", "relink"))] = "paths"
    """How the tests in source find libraries. With `paths` LD_LIBRARY_PATH or DYLD_LIBRARY_PATH is set for the test
    process alone. With `relink` no variable is set: the tests load copies of the binaries with absolute run paths to
    build tree and host environment. That is for macOS, where a test command that passes through `/bin/sh`, `make` or
    `/usr/bin/env` loses DYLD_* on the way."""

    exclude_libraries: Annotated[tuple[str, ...], ListOf(item=forms.LIBRARY, unique=True)] = ()
    """Libraries that must not be grafted into the wheel because the user's machine brings them, as globs
    over file names such as `libcuda.so*`. A glob that matches nothing is an error."""

    share: Annotated[tuple[str, ...], ListOf(item=forms.PROJECT, unique=True)] = ()
    """Distributions of PyPI that the wheel takes libraries from instead of a copy of its own: `["cmeel-boost"]`. The wheel requires them in the
    versions that have the library's SONAME, and finds the libraries in their folders. Without it each wheel has a Boost.Python of its own, and
    where two of these differ, types of one wheel are unknown in the other. For Linux."""

    wheel_include: Annotated[tuple[str, ...], ListOf(item=forms.INSTALLED, unique=True)] = ()
    """Files of a prefix that the wheel holds too, although they are neither modules, programs nor libraries that it needs: headers, CMake
    files, as globs over their paths below the prefix, where `*` matches `/` as well: `["include/*"]`. They are installed below the
    environment's prefix. A glob that matches nothing is an error."""

    floor: Annotated[str | None, forms.FLOOR] = None
    """The oldest glibc that the wheel has to do with, as in its tag: `2_28` for `manylinux_2_28`. A wheel that needs a newer
    one is an error. The compiler `zig` compiles for this glibc, for `2_17` where nothing is said; any other compiles for its machine's."""

    def benchmark_command(self, *, source: Path, python: Path) -> tuple[str, ...]:
        """Return the words of ``benchmark`` with the source folder and the interpreter put in; none when there is none."""
        return forms.filled(self.benchmark or "", source=str(source), python=str(python))


@dataclass(frozen=True, kw_only=True)
class CompilerSpec:
    """A compiler of the matrix, from PATH or from the channels.

    `gcc`, `gcc-N`, `clang`, `clang-N`, `clang-libcxx` and `zig` (PyPI's `ziglang`) are known and need no table, and so are `gcc`, `gcc-N`, `clang`
    and `clang-N` with `-asan`, `-ubsan` or `-tsan` after the name. Any other name needs `cxx` or `packages`.
    """

    name: str
    cc: Annotated[str | None, forms.PROGRAM] = None
    """The C compiler: a program on PATH, or a path relative to `pyproject.toml`. When it is not given, it
    is the partner of `cxx`, so `gcc-13` for `g++-13`."""

    cxx: Annotated[str | None, forms.PROGRAM] = None
    """The C++ compiler, likewise. With `packages` it is looked up in their environment; when it is not
    given there, it is the one program named `*-g++` or `*-clang++`."""

    packages: Annotated[tuple[str, ...], ListOf(item=forms.SPEC, unique=True)] = ()
    """Conda match specs of a compiler from the channels, such as `gxx_linux-64=13`, instead of one on
    PATH."""

    flags: Annotated[tuple[str, ...], ListOf(item=forms.ARGUMENT)] = ()
    """Further C++ compiler flags, after those of the environment (CXXFLAGS)."""

    env: Annotated[Mapping[str, str], _ENVIRONMENT] = field(default_factory=dict, hash=False)
    """Environment variables of every call of this compiler."""


@dataclass(frozen=True, kw_only=True)
class LibrarySpec:
    """A C++ library that is compiled by each cell's own compiler, as a conda package of that name.

    `boost` needs no table: where no package of Boost.Python fits a cell, it is compiled from Debian's source. With a table it always is.
    Any other library is one that CMake builds and installs.
    """

    name: str
    source: Annotated[str, forms.SOURCE]
    """Where its source is: a folder or an archive (`.tar.gz`, `.tar.xz`, …) relative to this file, a URL that ends in `#sha256=…`, or
    `apt:PACKAGE` for the source package of the machine's distribution. `apt:PACKAGE/SUITE` takes that of another suite of the same
    mirror, whether the machine's own list of sources names it or not."""

    cmake_args: Annotated[tuple[str, ...], ListOf(item=forms.ARGUMENT)] = ()
    """Further arguments of CMake's configure step, such as `-DFMT_TEST=OFF`."""


_MERGED = tuple(key.name for key in keys(CellSettings) if isinstance(key.kind, (ListOf, TableOf)))


@dataclass(frozen=True, kw_only=True)
class Override:
    """Other settings for some cells.

    Every per-cell key may stand here. Overrides apply in the order of the file, so a later one wins.
    """

    select: Annotated[tuple[str, ...], ListOf(item=forms.SELECTOR, unique=True, least=1, single=True)]
    """The cells it is for."""

    inherit: Annotated[
        Mapping[str, str],
        TableOf(name=Choice(names=_MERGED), value=Choice(names=("append", "prepend", "none"))),
    ] = field(default_factory=dict, hash=False)
    """How a list or table given here meets the one from before: `append` it, `prepend` it, or replace it
    (`none`, the default). In a table the one that comes last wins a name that both have."""

    values: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True)
class Waive:
    """A difference between wheel and conda package that the project accepts, or a doctor's finding that a release accepts.

    An entry that covers nothing in the whole matrix is an error.
    """

    code: Annotated[str, forms.RULE]
    """The rule that finds it, as `diptych compare` or `diptych doctor` shows it."""

    glob: Annotated[str, forms.PLACE]
    """The file, library, dependency or field that it is found at. `*` fits all, also a difference of the package
    as a whole."""

    reason: Annotated[str, forms.REASON]
    """Why it is accepted. It is shown wherever the difference is."""


@dataclass(frozen=True, kw_only=True)
class ReleaseSettings:
    """What `diptych release` sends, and where. `--index` and `--channel` of the command win over these."""

    index: Annotated[str | None, forms.INDEX] = None
    """Where wheels and sdist go: `pypi`, `testpypi`, or the URL that another index takes uploads at."""

    simple: Annotated[str | None, forms.SIMPLE] = None
    """Where that index lists its files (PEP 503 or 691). When it is not given, it is the index's `simple/` beside
    the upload URL."""

    channel: Annotated[str | None, forms.TARGET] = None
    """Where conda packages go: a folder (relative to this file), `s3://BUCKET/CHANNEL`, `https://prefix.dev/CHANNEL`,
    `https://anaconda.org/OWNER`, or `quetz+URL/CHANNEL`. Servers of one's own: `prefix+URL/CHANNEL`, `anaconda+URL/OWNER`."""

    tag: Annotated[str, forms.TAG] = "v{version}"
    """The git tag that a release has to carry."""

    changelog: Annotated[str | None, forms.PATH] = None
    """The file whose section about the version becomes the release note. When it is not given, it is `CHANGELOG.md` in
    `source`, or beside this file."""

    allow: Annotated[tuple[str, ...], ListOf(item=Choice(names=("local",)), unique=True)] = ()
    """Channels that packages may come from although a release would refuse them: `local`, the stand-in that is made of
    what is on the machine and on PyPI, and with it the channels of libraries that cells have compiled."""


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """The keys that hold for the whole run."""

    source: Annotated[str, forms.PATH] = "."
    """The folder of the extension, where its `pyproject.toml` and `CMakeLists.txt` stand, relative to this
    file."""

    python: Annotated[tuple[str, ...], ListOf(item=forms.PYTHON, unique=True, least=1)]
    """The Pythons to build for, such as `["3.11", "3.12"]`. `"3.14t"` is the build without the GIL (PEP 703), a version
    of its own: packages for the one are not for the other."""

    compiler: Annotated[tuple[str, ...], ListOf(item=forms.COMPILER, unique=True, least=1)] = ("gcc",)
    """The compilers to build with: `gcc`, `gcc-N`, `clang`, `clang-N`, `clang-libcxx`, `zig`, or names of
    `[tool.diptych.compilers.NAME]` tables. Releases are made with the first; the others guard against code
    that only one compiler takes. `gcc-asan`, `gcc-ubsan`, `gcc-tsan`, `clang-asan`, `clang-ubsan` and `clang-tsan` make no packages: they run the
    tests in source under AddressSanitizer, UndefinedBehaviorSanitizer or ThreadSanitizer. None of them may be the first."""

    include: Annotated[tuple[str, ...], ListOf(item=forms.SELECTOR, unique=True)] = ()
    """When given, only the cells of `python` times `compiler` that one of these selects are built."""

    exclude: Annotated[tuple[str, ...], ListOf(item=forms.SELECTOR, unique=True)] = ()
    """Cells that are not built."""

    package: Annotated[str | None, forms.MODULE] = None
    """The name to import. When it is not given, it is the project's name with `_` for `-`."""

    recipe: Annotated[str | None, forms.PATH] = None
    """The conda recipe, relative to `source`: a recipe.yaml, or a meta.yaml of conda-build, which is converted. When it
    is not given, it is `conda/recipe.yaml` or `conda/meta.yaml` if one is there; otherwise Diptych renders a recipe from
    this table. A recipe that does not ask for DIPTYCH_STAGE gets the finished stage in place of its script and source."""

    outputs: Annotated[Literal["one", "split"], Choice(names=("one", "split"))] = "one"
    """The conda packages of a cell: `one`, or a C++ library apart from its bindings (`split`): `libNAME` with libraries, programs,
    headers and CMake files, and `NAME` with the Python part, which depends on it. For `builder = "cmake"` and a rendered recipe; a
    recipe of your own says its outputs itself."""

    compilers: Annotated[
        Mapping[str, Mapping[str, Any]],
        TableOf(name=forms.COMPILER, value=Table(words="a table of a compiler", models=(CompilerSpec,))),
    ] = field(default_factory=dict)
    """Compilers by name; see below."""

    libraries: Annotated[
        Mapping[str, Mapping[str, Any]],
        TableOf(name=forms.LIBRARY_NAME, value=Table(words="a table of a library", models=(LibrarySpec,))),
    ] = field(default_factory=dict)
    """C++ libraries that each compiler of the matrix compiles for itself; see below."""

    overrides: Annotated[
        tuple[Mapping[str, Any], ...],
        ListOf(item=Table(words="a table of an override", models=(Override, CellSettings))),
    ] = ()
    """Other settings for some cells; see below."""

    release: Annotated[
        Mapping[str, Any], Table(words="a table of what is released", models=(ReleaseSettings,))
    ] = field(default_factory=dict)
    """Where releases go; see below."""

    waive: Annotated[
        tuple[Mapping[str, Any], ...],
        ListOf(item=Table(words="a table of a waiver", models=(Waive,))),
    ] = ()
    """Differences between wheel and conda package that are accepted; see below."""


TABLE = Table(words="a table", models=(RunSettings, CellSettings))
"""The whole of ``[tool.diptych]``."""
