"""The images of manylinux: each compiles against an old glibc, with a current gcc that adds what its libstdc++ lacks.

Source: github.com/pypa/manylinux, README: which policy each image is for, and on which machines.
"""

from __future__ import annotations

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
    fitting = [
        name
        for name, machines in _MACHINES.items()
        if machine in machines and (_LEVELS.get(name) or Level.parse(name)) <= floor
    ]
    return f"{REGISTRY}{fitting[-1]}_{machine}" if fitting else None
