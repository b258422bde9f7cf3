"""The images of manylinux: each compiles against an old glibc, with a current gcc that adds what its libstdc++ lacks.

Source: github.com/pypa/manylinux, README: which policy each image is for, and on which machines.
"""

from __future__ import annotations

import functools
import json
from importlib import resources

from diptych.policy.tables import Level

REGISTRY = "quay.io/pypa/"
_MACHINES = {
    "manylinux2014": ("x86_64", "aarch64", "ppc64le", "s390x"),
    "manylinux_2_28": ("x86_64", "aarch64", "ppc64le", "s390x"),
    "manylinux_2_34": ("x86_64", "aarch64", "ppc64le", "s390x"),
    "manylinux_2_39": ("aarch64", "riscv64"),
}
_LEVELS = {"manylinux2014": Level(version=(2, 17))}


def image_for(floor: Level, machine: str) -> str | None:
    """Return the newest image whose wheels keep a floor, without a tag; None where there is none.

    Args:
        floor: such as ``manylinux_2_31``.
        machine: as in a tag.

    >>> image_for(Level(version=(2, 31)), "x86_64")
    'quay.io/pypa/manylinux_2_28_x86_64'
    """
    fitting = _fitting(floor, machine)
    return f"{REGISTRY}{fitting[-1]}" if fitting else None


def pinned_image(floor: Level, machine: str) -> str | None:
    """Return the newest image that keeps a floor and that a workflow can use, with tag and digest; None where there is none.

    GitHub's own actions run inside the image, on a Node.js that needs glibc 2.28: no older image is pinned here.

    Args:
        floor: such as ``manylinux_2_28``.
        machine: as in a tag.
    """
    pins = _pins()
    found = [name for name in _fitting(floor, machine) if name in pins]
    return f"{REGISTRY}{found[-1]}:{pins[found[-1]]['tag']}@{pins[found[-1]]['digest']}" if found else None


def _fitting(floor: Level, machine: str) -> list[str]:
    return [
        f"{name}_{machine}"
        for name, machines in _MACHINES.items()
        if machine in machines and (_LEVELS.get(name) or Level.parse(name)) <= floor
    ]


@functools.cache
def _pins() -> dict[str, dict[str, str]]:
    text = resources.files("diptych").joinpath("data/manylinux_images.json").read_text(encoding="utf-8")
    pins: dict[str, dict[str, str]] = json.loads(text)["images"]
    return pins
