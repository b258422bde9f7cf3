"""A real checkout to build in: the extension of this repository with a table of its own."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from diptych import process
from diptych.store import Store

PROJECTS = Path(__file__).parents[1] / "projects"
NOXFILE = "from diptych.sessions import define\n\ndefine(__file__)\n"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
SHARED = "TESTS_SHARED"
"""Names the folder that the tests of a run share."""
TABLE = """\
[tool.diptych]
source = "project"
python = ["{python}"]
compiler = ["gcc"]
channels = ["conda-forge", "local"]
builder = "cmake"
host = ["libboost-python-devel", "eigen", "numpy"]
"""


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A folder with a table, a noxfile and an extension; commands run in it as a person types them."""

    root: Path
    env: dict[str, str]
    cell: str = field(default=f"{HERE}-gcc")
    filled: bool = True
    """Whether nox finds the packages that the tests of a run share."""

    def nox(self, *arguments: str, **variables: str) -> process.Completed:
        if self.filled and "-l" not in arguments:
            fill_channel(self.root, self.env)
        return self._run("nox", *arguments, **variables)

    def diptych(self, *arguments: str, **variables: str) -> process.Completed:
        return self._run("diptych", *arguments, **variables)

    def build(self) -> process.Completed:
        return self.nox("-s", f"build-{HERE}")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    @property
    def packages(self) -> tuple[Path, Path]:
        (wheel,) = (self.root / "dist" / "wheels").glob("*.whl")
        (conda,) = (self.root / "dist" / "conda").glob("*/*.conda")
        return wheel, conda

    def _run(self, program: str, *arguments: str, **variables: str) -> process.Completed:
        env = {**self.env, "COLUMNS": "200", **variables}
        return process.run([program, *arguments], env=env, cwd=self.root, check=False, timeout=600)


def fill_channel(root: Path, env: dict[str, str]) -> None:
    """Give a checkout what is packed once for all tests of a run: the Python that runs them, Boost, NumPy, pytest and pip.

    The order in which they take turns does not matter: the folder is locked while it is filled.
    """
    if (root / ".diptych" / "channel").exists():
        return
    from diptych import channel  # noqa: PLC0415 -- the unit tests, which read this file too, need none of it

    shared = Path(env[SHARED]) / "store"
    if not (shared / "filled").exists():
        specs = ("libboost-python-devel", "eigen", "numpy", "pip", "pytest")
        store = Store(root=shared)
        channel.ensure(specs, python=HERE, root=shared / "channel", store=store, env=env, say=lambda _: None)
        (shared / "filled").touch()
    for name in ("channel", "wheels", "interpreters"):
        place = root / ".diptych" / name
        # Packages are never written to where they lie; /tmp may be memory, in which copies of all checkouts would have no room.
        shutil.copytree(shared / name, place, symlinks=True, dirs_exist_ok=True, copy_function=_linked)


def _linked(source: str, target: str) -> None:
    if source.endswith((".conda", ".whl")):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def build_out(root: Path, repository: Path, env: dict[str, str]) -> Checkout:
    """A checkout whose cell of the running Python is built."""
    lay_out(root, repository, TABLE.format(python=HERE))
    checkout = Checkout(root=root, env=env)
    done = checkout.build()
    assert done.returncode == 0, done.output
    return checkout


def adopted(name: str, root: Path, table: str, env: dict[str, str]) -> Checkout:
    """A copy of a small project with a table and a noxfile, and nothing else changed."""
    shutil.copytree(PROJECTS / name, root)
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(table)
    (root / "noxfile.py").write_text(NOXFILE, encoding="utf-8")
    return Checkout(root=root, env=env)


def lay_out(root: Path, repository: Path, table: str) -> None:
    shutil.copytree(repository / "project", root / "project", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("noxfile.py", "tasks.py"):
        shutil.copy2(repository / name, root / name)
    (root / "pyproject.toml").write_text(table, encoding="utf-8")


def clear(done: process.Completed, *words: str) -> None:
    """Hold a command that failed to the one form of failing: one error with these words, and no traceback."""
    assert done.returncode != 0, done.output
    assert "Traceback" not in done.output
    assert sum(line.startswith("error: ") for line in done.output.splitlines()) == 1, done.output
    for word in words:
        assert word in done.output, done.output
