"""What `pip install diptych` alone brings: packages are looked at, and what builds says which extra it needs."""

from __future__ import annotations

import subprocess  # noqa: TID251 -- a whole process is what is tested
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from diptych.config.files import read_toml
from helpers.archive_makers import make_wheel, wheel_files

ROOT = Path(__file__).parents[2]


def needed(requirements: list[str], found: dict[str, Distribution]) -> dict[str, Distribution]:
    """Return the installed distributions that requirements bring on this machine, by name."""
    for text in requirements:
        requirement = Requirement(text)
        if requirement.name in found or (
            requirement.marker and not requirement.marker.evaluate({"extra": ""})
        ):
            continue
        try:
            found[requirement.name] = distribution(requirement.name)
        except PackageNotFoundError:
            continue
        needed(found[requirement.name].requires or [], found)
    return found


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with links to the packages of the light dependencies, and to nothing else that is installed."""
    table = read_toml(ROOT / "pyproject.toml")
    folder = tmp_path_factory.mktemp("light")
    (folder / "diptych").symlink_to(ROOT / "ci" / "diptych")
    for one in needed(table["project"]["dependencies"], {}).values():
        for file in one.files or []:
            top = folder / file.parts[0]
            if file.parts[0] not in {"..", "__pycache__"} and not top.exists():
                top.symlink_to(Path(str(one.locate_file(file.parts[0]))))
    return folder


def run(light: Path, *words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.append({str(light)!r}); from diptych.tasks import main; main()"
    command = [sys.executable, "-I", "-S", "-c", code, *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return make_wheel(tmp_path, wheel_files({"pair/__init__.py": b""}), name="pair-1.2-py3-none-any.whl")


@pytest.mark.parametrize(
    ("task", "said"), [("doctor", "in 1 target"), ("compare", "of 0 code sections equal")]
)
def test_packages_are_looked_at(task: str, said: str, light: Path, wheel: Path, tmp_path: Path) -> None:
    done = run(light, task, *([wheel] if task == "doctor" else [wheel, wheel]), cwd=tmp_path)
    assert said in done.stdout, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("task", ["--version", "--list", "schema"])
def test_small_questions_are_answered(task: str, light: Path, tmp_path: Path) -> None:
    assert run(light, task, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("words", [("cell", "3.11-gcc"), ("release",), ("reproduce", "3.11"), ("channel",)])
def test_what_builds_names_the_extra(words: tuple[str, ...], light: Path, tmp_path: Path) -> None:
    done = run(light, *words, cwd=tmp_path)
    assert done.returncode == 4
    assert "pip install 'diptych[build]'" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
