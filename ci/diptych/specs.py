"""Requirements of Python projects (PEP 508) as conda's match specifications: names, versions, markers.

Sources of the names: conda-forge's feedstocks and the PyPI mapping of prefix-dev/parselmouth, from which only
the names that differ and are likely in a host environment are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name

from diptych import markers
from diptych.errors import PackageError

# conda-forge name -> PyPI name, where they differ by more than spelling.
PYPI_NAME = {
    "cmake-python-distributions": "cmake",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python",
    "py-lief": "lief",
    "py-opencv": "opencv-python-headless",
    "pyqt": "pyqt5",
    "pytables": "tables",
    "python-blosc": "blosc",
    "python-build": "build",
    "python-duckdb": "duckdb",
    "python-fastjsonschema": "fastjsonschema",
    "python-flatbuffers": "flatbuffers",
    "python-graphviz": "graphviz",
    "python-installer": "installer",
    "python-lmdb": "lmdb",
    "python-xxhash": "xxhash",
    "pytorch": "torch",
    "tensorflow-base": "tensorflow",
}

# conda-forge spellings that PyPI's normalisation would lose (underscores, dots).
SPELLING = {
    canonicalize_name(name): name
    for name in (
        "async_generator",
        "backports.zoneinfo",
        "jaraco.text",
        "jupyter_client",
        "jupyter_core",
        "prompt_toolkit",
        "ruamel.yaml",
        "ruamel.yaml.clib",
        "setuptools_scm",
        "sphinx_rtd_theme",
        "stack_data",
        "typing_extensions",
        "zope.interface",
    )
}

CONDA_NAME = {pypi: conda for conda, pypi in PYPI_NAME.items()} | SPELLING


def pypi_name(conda: str) -> str:
    """Return the canonical PyPI name of a conda package."""
    return canonicalize_name(PYPI_NAME.get(conda, conda))


def conda_name(pypi: str) -> str:
    """Return what conda-forge calls a PyPI project."""
    canonical = canonicalize_name(pypi)
    return CONDA_NAME.get(canonical, canonical)


def of_requirements(
    requirements: Sequence[str], *, python: str, platform: str, known: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return the conda match specifications of requirements (PEP 508) that hold for a cell.

    Args:
        requirements: as METADATA or ``project.dependencies`` has them.
        python: ``3.11``.
        platform: conda's name, such as ``linux-64``.
        known: ``names`` of the table.

    Raises:
        PackageError: one cannot be read.
    """
    environment = markers.of_platform(platform, python=python)
    own = {str(canonicalize_name(name)): conda for name, conda in (known or {}).items()}
    found = []
    for text in requirements:
        try:
            one = Requirement(text)
        except InvalidRequirement as error:
            raise PackageError(f'cannot read the requirement "{text}": {error}') from error
        if one.marker is None or one.marker.evaluate(environment):
            project = canonicalize_name(one.name)
            conda = own.get(project) or conda_name(project)
            found.append(f"{conda} {to_conda(one.specifier)}".strip())
    return tuple(found)


def to_conda(specifiers: SpecifierSet | str) -> str:
    """Translate PEP 440 specifiers into conda's version range; empty for any."""
    return ",".join(sorted(_conda_part(each) for each in SpecifierSet(str(specifiers))))


def _conda_part(specifier: Specifier) -> str:
    operator, version = specifier.operator, specifier.version
    if operator == "~=":
        # conda's own ~= is younger than some solvers; the long form says the same (PEP 440).
        return f">={version},{version.rpartition('.')[0]}.*"
    if operator == "==" and version.endswith(".*"):
        return version
    return f"{operator.replace('===', '==')}{version}"
