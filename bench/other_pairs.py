"""Pairs that others made: `python bench/other_pairs.py FOLDER [PROJECT …]`.

For each project: the wheel from PyPI, laid beside a conda package of the same version that is compiled here from the
sdist (no conda channel need be reached). Two compiles, so unlike code is drift; nothing may be left unexplained.
"""

from __future__ import annotations

import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "ci")]

import rattler_build  # noqa: E402 -- after the path
from packaging.requirements import Requirement  # noqa: E402 -- as above

from diptych import process  # noqa: E402 -- as above
from diptych.compare import compare_packages  # noqa: E402 -- as above
from diptych.compare.explain import unexplained  # noqa: E402 -- as above
from diptych.specs import conda_names  # noqa: E402 -- as above
from diptych.tasks.surface import process_env  # noqa: E402 -- as above

PROJECTS = ("kiwisolver", "contourpy", "frozenlist", "pyclipper", "nano-astar")
# Their binding layers: cppy, pybind11, Cython, Cython, nanobind.
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
DIGITS = MINOR.replace(".", "")


def main() -> None:
    folder = Path(sys.argv[1])
    for project in sys.argv[2:] or PROJECTS:
        wheel = only(pip(folder / project / "pypi", "download", "--only-binary", ":all:", project))
        version = wheel.name.split("-")[1]
        built = only(
            pip(folder / project / "built", "wheel", "--no-binary", project, f"{project}=={version}")
        )
        conda = as_conda(built, project, version, folder / project)
        found = compare_packages(wheel, conda)
        codes = Counter(f"{one.severity.value} {one.code}" for one in found.findings)
        print(f"{project} {version}: {found.verdict}; unexplained: {list(unexplained(found)) or 'nothing'}")
        print(f"  {', '.join(f'{code} x{count}' for code, count in sorted(codes.items()))}")


def pip(folder: Path, command: str, *words: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob("*.whl")):
        target = "--dest" if command == "download" else "--wheel-dir"
        argv = [sys.executable, "-m", "pip", command, "-q", "--no-deps", target, str(folder), *words]
        process.run(argv, env=process_env(), cwd=folder)
    return folder


def only(folder: Path) -> Path:
    (found,) = folder.glob("*.whl")
    return found


def as_conda(wheel: Path, project: str, version: str, folder: Path) -> Path:
    """Pack what a recipe's `pip install .` would leave, with what its author would state."""
    site = folder / "prefix" / "lib" / f"python{MINOR}" / "site-packages"
    site.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (found,) = metadata.distributions(path=[str(site)])
    licences = sorted(
        path
        for path in site.glob("*.dist-info/**/*")
        if path.is_file() and path.name.upper().startswith("LICEN")
    )
    homepage = found.metadata.get("Home-page") or next(
        (line.partition(", ")[2] for line in found.metadata.get_all("Project-URL", [])), None
    )
    made = rattler_build.assemble_package(
        project,
        version,
        "linux-64",
        f"py{DIGITS}_0",
        folder,
        files_dir=folder / "prefix",
        depends=[
            f"python >={MINOR},<{MINOR[:2]}{int(MINOR[2:]) + 1}.0a0",
            f"python_abi {MINOR}.* *_cp{DIGITS}",
            *run_requirements(found.requires or []),
        ],
        license=found.metadata.get("License-Expression") or None,
        summary=found.metadata.get("Summary") or None,
        homepage=homepage,
        license_files=licences,
    )
    return Path(str(made.path))


def run_requirements(requirements: list[str]) -> Iterator[str]:
    """Yield the match specs of what the project needs here, extras left out."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield f"{conda_names(requirement.name)[0]} {requirement.specifier}".strip()


if __name__ == "__main__":
    main()
