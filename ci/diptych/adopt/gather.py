"""Read everything in a repository that tells how it is built and tested."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.adopt.cibuildwheel import read_cibuildwheel
from diptych.adopt.files import inside
from diptych.adopt.model import Origin, Reading, Untold, joined
from diptych.adopt.readcmake import read_cmake
from diptych.adopt.readconda import RECIPE_FOLDERS, read_environment, read_pixi, read_recipe
from diptych.adopt.readmeson import read_meson
from diptych.adopt.readpyproject import FILE, Pyproject, read_backend, read_external, strings, why_pure
from diptych.adopt.readsetup import Setup, read_script, read_setup
from diptych.config.files import read_toml
from diptych.errors import ConfigError

_ENVIRONMENTS = ("environment.yml", "environment.yaml", "conda/environment.yml", "environment-dev.yml")
_SCRIPTS = ("build.py", "hatch_build.py", "build_script.py")


@dataclass(frozen=True, kw_only=True)
class Repository:
    """What the files of a repository say.

    Attributes:
        root: its folder.
        pyproject: its pyproject.toml.
        setup: its setup.py and setup.cfg.
        reading: needs, settings and what was left, of all files.
        recipe: the conda recipe, relative to the root.
        has_cmake: a CMakeLists.txt stands at the top.
        under_git: it lies in a git work tree.
    """

    root: Path
    pyproject: Pyproject
    setup: Setup
    reading: Reading
    recipe: str
    has_cmake: bool
    under_git: bool

    @property
    def by_backend(self) -> bool:
        """The project's own build backend makes the wheel; otherwise CMake alone installs the package."""
        return bool(self.pyproject.backend) or not self.has_cmake

    @property
    def name(self) -> str:
        """The project's name, empty where it is computed."""
        return str(
            self.pyproject.table("project").get("name")
            or self.pyproject.table("tool", "poetry").get("name")
            or self.setup.words.get("name")
            or ""
        )

    @property
    def dependencies(self) -> tuple[str, ...]:
        """The project's run requirements, as far as they are written down."""
        written = strings(self.pyproject.table("project").get("dependencies"))
        return written or strings(self.setup.words.get("install_requires"))

    @property
    def extras(self) -> Mapping[str, Any]:
        """The optional dependencies by their extra."""
        written = self.pyproject.table("project", "optional-dependencies")
        own = self.setup.words.get("extras_require")
        return {**(own if isinstance(own, dict) else {}), **written}

    def of_setup(self, word: str) -> Origin:
        """Return where a word of setup() stands."""
        if word in self.setup.lines:
            return Origin(file="setup.py", line=self.setup.lines[word])
        return Origin(file="setup.cfg", key=word)


def gather(root: Path, *, platform: str) -> Repository:
    """Read a repository.

    Args:
        root: its folder.
        platform: conda's name of the platform, such as "linux-64".

    Raises:
        ConfigError: pyproject.toml is no TOML, or nothing here is compiled.
    """
    file = root / FILE
    pyproject = Pyproject(document=read_toml(file) if file.exists() else {})
    setup = read_setup(root)
    recipe = _recipe(root)
    system = "macos" if platform.startswith("osx") else "linux"
    readings = [
        _sources(root, pyproject, setup),
        read_external(pyproject),
        _conda(root, pyproject, recipe, platform),
        read_cibuildwheel(pyproject.tools, platform=system),
        Reading(untold=tuple(_submodules(root))),
    ]
    reading = joined(readings)
    if not reading.compiled:
        raise _nothing_compiled(root, pyproject, setup)
    return Repository(
        root=root,
        pyproject=pyproject,
        setup=setup,
        reading=reading,
        recipe=recipe,
        has_cmake=(root / "CMakeLists.txt").is_file(),
        under_git=any((folder / ".git").exists() for folder in (root, *root.parents)),
    )


def _sources(root: Path, pyproject: Pyproject, setup: Setup) -> Reading:
    """Read what compiles: build files and scripts, as the backend uses them."""
    cmake = pyproject.table("tool", "scikit-build", "cmake").get("source-dir", ".")
    cargo = root / "Cargo.toml"
    backend = pyproject.backend
    meson = read_meson(root, root / "meson.build") if not backend or "meson" in backend.lower() else Reading()
    return joined([
        read_backend(pyproject),
        read_cmake(root, root / str(cmake) / "CMakeLists.txt"),
        meson,
        setup.reading,
        *(read_script(root, root / name) for name in _scripts(root, pyproject, setup)),
        Reading(compiled=(Origin(file="Cargo.toml"),) if cargo.is_file() and "maturin" in backend else ()),
        _own_backend(root, pyproject),
    ])  # fmt: skip


def _own_backend(root: Path, pyproject: Pyproject) -> Reading:
    """Read a backend that lies in the project (``backend-path``, PEP 517): what it compiles, only the sources show."""
    if not pyproject.table("build-system").get("backend-path"):
        return Reading()
    folders = (root, *(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")))
    shown = (
        path for folder in folders for glob in ("*.pyx", "*.c", "*.cpp", "*.cc") for path in folder.glob(glob)
    )
    return Reading(
        compiled=tuple(Origin(file=path.relative_to(root).as_posix()) for path in sorted(shown)[:1])
    )


def _scripts(root: Path, pyproject: Pyproject, setup: Setup) -> list[str]:
    cffi = [entry.partition(":")[0] for entry in strings(setup.words.get("cffi_modules"))]
    poetry = pyproject.table("tool", "poetry", "build").get("script")
    named = [*cffi, *([poetry] if isinstance(poetry, str) else []), *_SCRIPTS]
    return [name for name in dict.fromkeys(named) if inside(root, root / name) and (root / name).is_file()]


def _recipe(root: Path) -> str:
    places = [f"{folder}/{name}" for folder in RECIPE_FOLDERS for name in ("recipe.yaml", "meta.yaml")]
    return next((place.removeprefix("./") for place in places if (root / place).is_file()), "")


def _conda(root: Path, pyproject: Pyproject, recipe: str, platform: str) -> Reading:
    readings = [_of_recipe(root, recipe, platform)] if recipe else []
    readings += [read_environment(root, root / name) for name in _ENVIRONMENTS if (root / name).is_file()]
    if (root / "pixi.toml").is_file():
        readings.append(read_pixi(root, root / "pixi.toml"))
    if pixi := pyproject.table("tool", "pixi"):
        readings.append(read_pixi(root, root / FILE, pixi))
    return joined(readings)


def _of_recipe(root: Path, place: str, platform: str) -> Reading:
    from diptych.recipes.opening import open_recipe  # noqa: PLC0415 -- needs YAML, which few repositories do

    try:
        opened = open_recipe(root / place)
    except ConfigError as error:
        return Reading(untold=(Untold(text=error.summary, origin=Origin(file=place)),))
    left = tuple(Untold(text=one.text, origin=Origin(file=place, line=one.line)) for one in opened.left)
    return joined([read_recipe(opened.recipe, file=place, platform=platform), Reading(untold=left)])


def _submodules(root: Path) -> Iterator[Untold]:
    """Name the submodules whose folder is empty."""
    file = root / ".gitmodules"
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    for path in re.findall(r"^\s*path\s*=\s*(.+?)\s*$", text, re.MULTILINE):
        folder = root / path
        if not folder.is_dir() or not any(folder.iterdir()):
            yield Untold(
                text=f"the submodule {path} was not fetched: git submodule update --init --recursive",
                origin=Origin(file=".gitmodules"),
            )


def _nothing_compiled(root: Path, pyproject: Pyproject, setup: Setup) -> ConfigError:
    looked = "CMakeLists.txt, meson.build, Cargo.toml, ext_modules in setup.py or pyproject.toml, a build hook or script"
    details = [f"looked for {looked}"]
    if setup.problem:
        details.append(setup.problem)
    if pure := why_pure(pyproject.backend):
        details.append(f'the build backend is "{pyproject.backend}": {pure}')
    if not any((root / name).is_file() for name in (FILE, "setup.py", "setup.cfg")):
        details.append("there is no pyproject.toml, setup.py or setup.cfg either")
    return ConfigError(
        f'nothing in "{root}" is compiled, as far as its files tell',
        details=details,
        hint="run it in the folder of the extension, where its build files stand; a pure Python project needs no Diptych",
    )
