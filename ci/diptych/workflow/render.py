"""The text of the workflow: templates of YAML, with the actions of ``actions.json`` and the jobs of the plan put in."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources

_KEPT = ("channel", "wheels", "stage", "build", "objects")
_FAMILY = "diptych-${{ matrix.platform }}-${{ matrix.id }}-"
_IMAGES = {
    "container": "\n    # The image that keeps the cell's floor, whatever glibc the runner has; empty for no container.\n"
    "    container: ${{ matrix.image }} # zizmor: ignore[unpinned-images] (the plan gives it with its digest)",
    "outside": "\n        if: matrix.image == ''",
    "inside": """
      - name: Take the cell's Python from the image
        if: matrix.image != ''
        env:
          TAG: ${{ matrix.tag }}
        run: |
          echo "/opt/python/$TAG/bin" >> "$GITHUB_PATH"
          git config --global --add safe.directory "$GITHUB_WORKSPACE\"""",
    "dnf": """
          elif command -v dnf > /dev/null; then
            dnf install --assumeyes "${names[@]}\"""",
    # In a container `runner.temp` is the folder's name outside of it, RUNNER_TEMP the one inside (actions/runner#965).
    "build": """|
          diptych cell "$CELL" --out "$RUNNER_TEMP/piece"
          echo "PIECE=$RUNNER_TEMP/piece" >> "$GITHUB_ENV\"""",
    "piece": "${{ env.PIECE }}",
}
"""What the jobs of cells have, where some of them run in an image."""
_NO_IMAGE = {
    **dict.fromkeys(_IMAGES, ""),
    "build": 'diptych cell "$CELL" --out "$RUNNER_TEMP/piece"',
    "piece": "${{ runner.temp }}/piece",
}
_BLANK = re.compile(r"@\{([a-z/-]+)\}")


@dataclass(frozen=True, kw_only=True)
class WorkflowInputs:
    """What the workflow depends on.

    Attributes:
        install: the command that installs Diptych on a machine.
        source: a glob of the extension's sources, from the checkout.
        platforms: the platforms of the plan, as the person named them.
        shards: how many matrices the plan needs.
        secrets: the variables with which conda packages are published; none: they are not.
        images: whether any job of the plan runs in a container image.
        sanitizers: whether any job of the plan is of a sanitizer, which leaves nothing.
    """

    install: str
    source: str
    platforms: tuple[str, ...]
    shards: int
    secrets: tuple[str, ...] = ()
    images: bool = False
    sanitizers: bool = False

    @property
    def flags(self) -> str:
        """The platforms as words of a command line, with a space before them."""
        return "".join(f" --platform {shlex.quote(name)}" for name in self.platforms)


def pinned() -> dict[str, str]:
    """Return each action with the full hash of a commit, and the version that hash had when it was looked up."""
    data = json.loads(_template("actions.json"))["actions"]
    names = [*data, "actions/cache/restore", "actions/cache/save"]
    return {name: _pin(name, data["/".join(name.split("/")[:2])]) for name in names}


def _pin(name: str, one: Mapping[str, str]) -> str:
    return f"{name}@{one['commit']} # {one['version']}"


def workflow_text(wanted: WorkflowInputs) -> str:
    """Return ``.github/workflows/diptych.yml``."""
    blanks = {
        **pinned(),
        **(_IMAGES if wanted.images else _NO_IMAGE),
        "leaves": "\n        if: matrix.artifact != ''" if wanted.sanitizers else "",
        "install": wanted.install,
        "platforms": wanted.flags,
        "key": f"{_FAMILY}${{{{ hashFiles('pyproject.toml', '{wanted.source}') }}}}",
        "family": _FAMILY,
        "kept": "|\n" + _lines(f"            .diptych/{name}" for name in _KEPT),
    }
    jobs = [("cells", "matrix", "")]
    if wanted.shards > 1:
        numbers = range(1, wanted.shards + 1)
        jobs = [(f"cells-{one}", f"matrix-{one}", f" --shard {one}/{wanted.shards}") for one in numbers]
    plans = [  # assigned first: an `echo` would hide that the command failed
        line
        for _, output, part in jobs
        for line in (
            f"          matrix=$(diptych matrix --github{wanted.flags}{part})",
            f'          echo "{output}=$matrix" >> "$GITHUB_OUTPUT"',
        )
    ]
    return _filled(
        "workflow.yml.in",
        {
            **blanks,
            "command": f"diptych workflow{wanted.flags}",
            "outputs": _lines(f"      {name}: ${{{{ steps.plan.outputs.{name} }}}}" for _, name, _ in jobs),
            "plans": _lines(plans),
            "prepare": _prepare(blanks),
            "channel": _channel(wanted, blanks),
            "cells": _lines(
                _filled("cells.yml.in", {**blanks, "job": job, "output": output}) for job, output, _ in jobs
            ),
            "needs": ", ".join(job for job, _, _ in jobs),
        },
    )


def _prepare(blanks: Mapping[str, str]) -> str:
    return _filled("prepare.yml.in", blanks).rstrip()


def _channel(wanted: WorkflowInputs, blanks: Mapping[str, str]) -> str:
    """Return the job that publishes conda packages, with no more rights than the key of its channel; or nothing."""
    if not wanted.secrets:
        return ""
    variables = _lines(f"          {name}: ${{{{ secrets.{name} }}}}" for name in wanted.secrets)
    return _filled("channel.yml.in", {**blanks, "prepare": _prepare(blanks), "variables": variables})


def action_text() -> str:
    """Return ``action.yml``: the composite action that brings Diptych to other repositories."""
    return _filled("action.yml.in", pinned())


def platforms_in(text: str) -> tuple[str, ...]:
    """Return the platforms that a workflow was written for, from its first line."""
    return tuple(re.findall(r"--platform ([a-z0-9-]+)", text.partition("\n")[0]))


def _filled(name: str, blanks: Mapping[str, str]) -> str:
    return _BLANK.sub(lambda found: blanks[found[1]], _template(name))


def _template(name: str) -> str:
    return resources.files("diptych.workflow").joinpath(name).read_text(encoding="utf-8")


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)
