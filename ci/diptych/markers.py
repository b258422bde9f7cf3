"""What environment markers see on the machine that something is made for (PEP 508), which is not always this one."""

from __future__ import annotations

from diptych.pythons import plain

# conda's name of a platform -> what platform.machine() says there.
MACHINES = {"linux-64": "x86_64", "linux-aarch64": "aarch64", "osx-64": "x86_64", "osx-arm64": "arm64"}


def environment(*, python: str, mac: bool, machine: str) -> dict[str, str]:
    """Return the variables of environment markers for CPython, with no extra asked for.

    Args:
        python: ``3.11``; a ``t`` for free-threaded is not seen by markers.
        mac: whether it is macOS, else Linux.
        machine: as ``platform.machine()`` says.
    """
    version = plain(python)
    return {
        "extra": "",
        "implementation_name": "cpython",
        "implementation_version": f"{version}.0",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Darwin" if mac else "Linux",
        "platform_version": "",
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": "darwin" if mac else "linux",
    }


def of_platform(platform: str, *, python: str) -> dict[str, str]:
    """Return the variables for conda's name of a platform, such as ``linux-64``."""
    return environment(
        python=python, mac=platform.startswith("osx"), machine=MACHINES.get(platform, "x86_64")
    )
