from __future__ import annotations

import pytest

from diptych import specs
from diptych.channel import pypi
from diptych.channel.requests import parse, to_pep440
from diptych.errors import ChannelError
from diptych.specs import to_conda


@pytest.mark.parametrize(
    ("conda", "pep440"),
    [
        ("", ""),
        ("*", ""),
        ("1.26.*", "==1.26.*"),
        ("=1.26", "==1.26.*"),
        ("1.26", "==1.26"),
        ("==1.26.0", "==1.26.0"),
        (">=1.26,<3", "<3,>=1.26"),
        (">=1.26.*", ">=1.26"),
        ("<2.0a0", "<2.0a0"),
        ("!=1.5.*", "!=1.5.*"),
        ("~=1.26", "~=1.26"),
        (">=8|<7", ""),
    ],
)
def test_conda_ranges_in_pep440(conda: str, pep440: str) -> None:
    assert to_pep440(conda) == pep440


@pytest.mark.parametrize(
    ("pep440", "conda"),
    [
        ("", ""),
        (">=1.6,<2", "<2,>=1.6"),
        ("==1.4.*", "1.4.*"),
        ("==1.4.2", "==1.4.2"),
        ("===1.4.2", "==1.4.2"),
        ("~=1.4.2", ">=1.4.2,1.4.*"),
        ("~=1.4", ">=1.4,1.*"),
        ("!=1.3.*", "!=1.3.*"),
    ],
)
def test_pep440_ranges_in_conda(pep440: str, conda: str) -> None:
    assert to_conda(pep440) == conda


def test_python_is_not_a_request() -> None:
    found = parse(["python 3.11.*", "python_abi", "numpy >=1.26,<3", "conda-forge::eigen"])

    assert [(each.name, each.versions) for each in found] == [("numpy", "<3,>=1.26"), ("eigen", "")]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("libbost-python", 'did you mean "libboost-python"?'),
        ("gxx_linux-64=13", "cannot make"),
        ("typing-extensions", 'is called "typing_extensions"'),
        ("torch", 'is called "pytorch"'),
        ("numpy >>1", "cannot read"),
    ],
)
def test_names_that_cannot_be_made(spec: str, words: str) -> None:
    with pytest.raises(ChannelError) as raised:
        parse([spec])

    assert words in str(raised.value)
    if "cannot make" in words:
        assert "conda-forge" in raised.value.hint
        assert "diptych channel --add" in raised.value.hint
        assert raised.value.details[0].startswith("tried: nothing")


def test_a_usual_name_leads_back_to_itself() -> None:
    """Of several projects with one conda name, one is what that name means."""
    shared = {"pyqt"}  # of pyqt5 and pyqt6
    for conda in [*specs.renamed(), "numpy"]:
        assert specs.conda_name(specs.pypi_name(conda)) == conda or conda in shared


def test_packages_that_carry_a_project_under_another_name_are_known() -> None:
    assert specs.conda_name("matplotlib") == "matplotlib-base"
    assert specs.pypi_name("matplotlib") == specs.pypi_name("matplotlib_base") == "matplotlib"
    assert specs.conda_names("torch") == ("pytorch", "pytorch-cpu", "pytorch-gpu", "libtorch", "torch")
    assert specs.pypi_name("pytables") == "tables"
    assert specs.conda_name("Typing.Extensions") == "typing_extensions"


def resolution(**requires: list[str]) -> pypi.Resolution:
    wheels = {
        name: pypi.ResolvedWheel(
            name=name, version="1.0", url=f"https://x/{name}-1.0.whl", sha256="0", requires=tuple(lines)
        )
        for name, lines in requires.items()
    }
    return pypi.Resolution(
        wanted=dict.fromkeys(wheels, ""),
        markers={
            "python_version": "3.10",
            "sys_platform": "linux",
            "platform_python_implementation": "CPython",
        },
        wheels=wheels,
    )


def test_requirements_evaluate_markers_and_flatten_extras() -> None:
    found = pypi.requirements(
        "a",
        resolution(
            a=[
                "b[fast]>=2",
                'tomli>=2; python_version < "3.11"',
                'colorama; sys_platform == "win32"',
                'x; extra == "t"',
            ],
            b=["c", 'speed~=1.2; extra == "fast"', 'slow; extra == "slow"'],
        ),
    )

    assert found.depends == ("b >=2", "c", "speed >=1.2,1.*", "tomli >=2")
    assert found.projects == ("b", "c", "speed", "tomli")
    assert found.python_specific


def test_marker_of_an_extra_is_not_python_specific() -> None:
    found = pypi.requirements(
        "a",
        resolution(
            a=[
                'x; extra == "dev" and python_version < "3.11"',
                'y; platform_python_implementation == "CPython"',
            ]
        ),
    )

    assert found.depends == ("y",)
    assert not found.python_specific


def test_unreadable_requirement_is_named() -> None:
    with pytest.raises(ChannelError, match="not a requirement"):
        pypi.requirements("a", resolution(a=["not a requirement"]))


def test_resolution_covers_what_suits() -> None:
    known = resolution(a=[])

    assert known.covers({"a": ">=0.9"})
    assert not known.covers({"a": ">=2"})
    assert not known.covers({"b": ""})


def test_what_a_person_added_is_not_made_but_what_it_needs_is() -> None:
    added = {"gxx_toy": ("numpy >=1.26", "__glibc >=2.17", "python"), "loop": ("gxx_toy", "loop")}

    found = parse(["gxx_toy=12", "loop", "eigen"], added=added)

    assert [(each.name, each.versions) for each in found] == [("eigen", ""), ("numpy", ">=1.26")]


def test_without_it_the_same_name_cannot_be_made() -> None:
    with pytest.raises(ChannelError, match="gxx_toy"):
        parse(["gxx_toy"])
