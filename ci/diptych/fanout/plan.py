"""The plan: every cell on every platform as one job, with all that its machine needs to know."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from diptych.config import Config
from diptych.errors import ConfigError
from diptych.fanout.runners import LABELS, compiler_packages, image_of, image_packages, needs_image
from diptych.matrix import Cell, Platform, cells
from diptych.store import digest
from diptych.workspace import Workspace

MOST_JOBS = 256
"""How many jobs one matrix of GitHub Actions may have (docs.github.com, *Running variations of jobs*)."""

PIECES = ".diptych/pieces"
"""Where pieces lie by default: below a checkout, but never part of its sources."""

_SHARD = re.compile(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One cell on one platform.

    Attributes:
        cell: the cell.
        runner: the label of the GitHub machine; empty where GitHub has none.
        packages: system packages that bring its compiler.
        image: the container image that it runs in; empty for none.
    """

    cell: Cell
    runner: str
    packages: tuple[str, ...]
    image: str = ""

    @property
    def name(self) -> str:
        """The cell and its platform, such as ``3.11-gcc-linux-64``: no other job has it."""
        return f"{self.cell.id}-{self.cell.platform}"

    def to_json(self) -> dict[str, str]:
        """Return flat text values, as ``include`` of a GitHub matrix and a shell loop both want them."""
        return {
            "id": self.cell.id,
            "python": self.cell.python,
            "compiler": self.cell.compiler.name,
            "platform": self.cell.platform,
            "runner": self.runner,
            "packages": " ".join(self.packages),
            "image": self.image,
            "tag": f"{self.cell.tag}-{self.cell.abi}",
            "command": f"diptych cell {self.cell.id}"
            + ("" if self.cell.sanitizer else f" --out {PIECES}/{self.name}"),
            "artifact": "" if self.cell.sanitizer else f"cell-{self.name}",
        }


def plan(config: Config, platforms: Sequence[Platform]) -> tuple[Job, ...]:
    """Return the jobs of a table, platform by platform, each in the order of the matrix."""
    return tuple(
        _job(cell, platform)
        for platform in dict.fromkeys(platforms)
        for cell in cells(config, platform=platform)
    )


def with_pieces(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Return the jobs that leave packages: all but those of sanitizers."""
    return tuple(job for job in jobs if not job.cell.sanitizer)


def pieces_planned(workspace: Workspace, platforms: Sequence[Platform]) -> tuple[Job, ...]:
    """Return the jobs of a checkout that leave packages, and say which do not."""
    jobs = plan(workspace.config, platforms)
    if apart := [job.name for job in jobs if job.cell.sanitizer]:
        workspace.output.note(f"left out, since no packages are made of them: {', '.join(apart)}")
    return with_pieces(jobs)


def _job(cell: Cell, platform: Platform) -> Job:
    image = image_of(cell)
    packages = (image_packages(cell.compiler) or ()) if image else compiler_packages(cell.compiler, platform)
    return Job(cell=cell, runner=LABELS.get(platform, ""), packages=packages, image=image)


def table_hash(config: Config) -> str:
    """Hash what the table asks for, whatever the platform: pieces of one plan carry the same hash.

    The Pythons, the compilers with all their settings, the per-cell keys after overrides, the libraries that are compiled, and the
    project's name.
    """
    return digest(
        config.project.name,
        config.package,
        [asdict(library) for library in config.libraries],
        [
            [cell.id, asdict(cell.settings), _portable(cell, str(config.root))]
            for cell in cells(config, platform="linux-64")
        ],
    )


def _portable(cell: Cell, root: str) -> dict[str, Any]:
    """Return what the compiler's name stands for, with a program of the checkout relative to it."""
    spec = asdict(cell.compiler)
    for key in ("cc", "cxx"):
        if spec[key] and spec[key].startswith(root):
            spec[key] = spec[key][len(root) :]
    return spec


def shard(jobs: Sequence[Job], word: str) -> tuple[Job, ...]:
    """Return the part ``i/n`` of the jobs: consecutive ones, all parts of like size.

    Raises:
        ConfigError: ``word`` is not such a part.
    """
    found = _SHARD.fullmatch(word)
    index, count = (int(found[1]), int(found[2])) if found else (1, 0)
    if not 1 <= index <= count:
        raise ConfigError(f'--shard "{word}" is no part', hint="write i/n, such as 1/2 and 2/2")
    return tuple(jobs[len(jobs) * (index - 1) // count : len(jobs) * index // count])


def shards_needed(count: int) -> int:
    """Return how many matrices that many jobs need."""
    return max(1, -(-count // MOST_JOBS))


def github_matrix(jobs: Sequence[Job]) -> dict[str, list[dict[str, str]]]:
    """Return the value of ``strategy.matrix``.

    Raises:
        ConfigError: there are more jobs than a matrix may have, or GitHub has no machine for one.
    """
    if len(jobs) > MOST_JOBS:
        count = shards_needed(len(jobs))
        raise ConfigError(
            f"{len(jobs)} cells: a GitHub matrix takes {MOST_JOBS} at most",
            hint=f"shard it: --shard 1/{count} … --shard {count}/{count}, one job with a matrix for each",
        )
    require_machines(jobs)
    return {"include": [job.to_json() for job in jobs]}


def require_machines(jobs: Sequence[Job]) -> None:
    """Refuse jobs that GitHub has no machine for, or none that keeps their floor.

    Raises:
        ConfigError: naming their platforms, or the cells.
    """
    homeless = sorted({job.cell.platform for job in jobs if not job.runner})
    if homeless:
        raise ConfigError(
            f"there is no GitHub machine for {', '.join(homeless)}",
            hint=f"--platform takes {', '.join(LABELS)}; other engines: diptych plan --json",
        )
    adrift = [job for job in jobs if needs_image(job.cell) and not _kept(job)]
    if adrift:
        raise ConfigError(
            "no manylinux image that GitHub's actions run in keeps the floor of "
            + ", ".join(f"{job.name} ({job.cell.settings.floor})" for job in adrift),
            details=[
                'the images begin with manylinux_2_28 and have "gcc" and "clang"; the runner\'s own glibc would decide'
            ],
            hint='compiler = ["zig"], a compiler of the channel, or a floor of "2_28"',
        )


def _kept(job: Job) -> bool:
    return bool(job.image) and image_packages(job.cell.compiler) is not None
