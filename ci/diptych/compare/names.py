"""Which conda package brings a library, and which stand in no wheel's requirements: data, looked up."""

from __future__ import annotations

import fnmatch
import functools
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any


@functools.cache
def _data(name: str) -> Mapping[str, Any]:
    text = resources.files("diptych.compare").joinpath(name).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def runtime_reason(conda: str) -> str:
    """Return why a conda package stands in no wheel's requirements, or an empty string."""
    if conda.startswith("__"):
        return "a virtual package: what the machine must be, which a wheel says with its tag"
    return str(_data("runtime_packages.json")["runtime"].get(conda, ""))


def package_of_library(name: str) -> str | None:
    """Return the conda package that usually brings a library, by its name without folder and hash."""
    for glob, package in _data("libraries.json")["packages"]:
        if fnmatch.fnmatchcase(name, glob):
            return str(package)
    return None


def brings_libraries(conda: str) -> bool:
    """Tell whether the data knows a conda package as one of libraries."""
    return any(package == conda for _, package in _data("libraries.json")["packages"])


def version_in_name(name: str) -> str:
    """Return the package version that a library's file name tells, or an empty string where it is another number."""
    if not any(
        fnmatch.fnmatchcase(name, glob) for glob in _data("libraries.json")["named_by_package_version"]
    ):
        return ""
    found = re.search(r"\.so\.(\d+(?:\.\d+){2,})$|\.(\d+(?:\.\d+){2,})\.dylib$", name)
    return (found[1] or found[2]) if found else ""
