"""The parts of a comparison on their own: ranges, places, names, waivers, hashes of names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from diptych.archives import PackageKind
from diptych.compare.binary import plain_name
from diptych.compare.model import Difference, Severity
from diptych.compare.names import package_of_library, version_in_name
from diptych.compare.pairing import lay_out
from diptych.compare.places import place_of
from diptych.compare.providers import stem_of
from diptych.compare.ranges import Relation, bounds_of_specifiers, bounds_of_specs, relation
from diptych.compare.rulebook import judge
from diptych.compare.waivers import Waiver, refuse_idle, refuse_unknown, waived, waivers_of
from diptych.config import load
from diptych.errors import ConfigError
from diptych.output import Output
from diptych.specs import conda_names, pypi_name
from diptych.workspace import open_workspace
from helpers.compare_pairs import CORE, compared


@pytest.mark.parametrize(
    ("pypi", "conda", "expected"),
    [
        (">=1.26", ">=1.26", Relation.SAME),
        ("", "", Relation.SAME),
        (">=1.26", ">=1.26,<3", Relation.NARROWER_RIGHT),
        (">=1.26,<3", ">=1.26", Relation.NARROWER_LEFT),
        (">=1,<3", ">=2,<4", Relation.OVERLAP),
        (">=2", "<2", Relation.DISJOINT),
        ("==1.2.*", "1.2.*", Relation.SAME),
        ("~=1.4", ">=1.4,<2", Relation.SAME),
        ("<2", "<2.0a0", Relation.SAME),
        ("==1.5", ">=1.6|<1.4", Relation.DISJOINT),
        ("!=1.5", ">=1", Relation.OVERLAP),
        (">=1.10", ">=1.9", Relation.NARROWER_LEFT),
    ],
)
def test_ranges(pypi: str, conda: str, expected: Relation) -> None:
    assert relation(bounds_of_specifiers([pypi]), bounds_of_specs([conda])) is expected


def test_unreadable_range_is_said_to_be_unknown() -> None:
    assert relation(bounds_of_specifiers([">=1"]), bounds_of_specs([">=1,,,(("])) is Relation.UNKNOWN


@pytest.mark.parametrize(
    ("texts", "shown"),
    [([">=1.26", ">=1.9,<3"], ">=1.26,<3"), ([], "any"), ([">=1|<0.5"], ">=1|<0.5"), (["1.2.*"], "1.2.*")],
)
def test_ranges_are_shown_without_idle_bounds(texts: list[str], shown: str) -> None:
    assert str(bounds_of_specs(texts)) == shown


WHEEL, CONDA = PackageKind.WHEEL, PackageKind.CONDA


@pytest.mark.parametrize(
    ("member", "kind", "place", "role"),
    [
        ("pkg/__init__.py", WHEEL, "pkg/__init__.py", "python"),
        ("lib/python3.11/site-packages/pkg/__init__.py", CONDA, "pkg/__init__.py", "python"),
        ("lib/python3.13t/site-packages/pkg/a.txt", CONDA, "pkg/a.txt", "data"),
        ("site-packages/pkg/a.txt", CONDA, "pkg/a.txt", "data"),
        ("pkg.libs/libfoo-1a2b3c4d.so.1", WHEEL, "$PREFIX/lib/libfoo.so.1", "grafted"),
        ("pkg/.dylibs/libfoo.1.dylib", WHEEL, "$PREFIX/lib/libfoo.1.dylib", "grafted"),
        ("lib/libfoo.so.1", CONDA, "$PREFIX/lib/libfoo.so.1", "binary"),
        ("pkg-1.data/scripts/tool", WHEEL, "$PREFIX/bin/tool", "script"),
        ("bin/tool", CONDA, "$PREFIX/bin/tool", "script"),
        ("python-scripts/tool", CONDA, "$PREFIX/bin/tool", "script"),
        ("pkg-1.data/data/share/x", WHEEL, "$PREFIX/share/x", "data"),
        ("pkg-1.data/platlib/pkg/b.py", WHEEL, "pkg/b.py", "python"),
        ("pkg-1.data/headers/pkg.h", WHEEL, "$PREFIX/include/pkg.h", "header"),
        ("include/python3.11/pkg/pkg.h", CONDA, "$PREFIX/include/pkg.h", "header"),
        ("pkg-1.dist-info/licenses/LICENSE.txt", WHEEL, "licenses/LICENSE.txt", "licence"),
        ("info/licenses/LICENSE.txt", CONDA, "licenses/LICENSE.txt", "licence"),
        ("pkg-1.dist-info/METADATA", WHEEL, "pkg.dist-info/METADATA", "metadata"),
        (
            "site-packages/pkg/__pycache__/a.cpython-311.pyc",
            CONDA,
            "pkg/__pycache__/a.cpython-311.pyc",
            "bytecode",
        ),
    ],
)
def test_places(member: str, kind: PackageKind, place: str, role: str) -> None:
    there = place_of(member, kind)
    assert there is not None
    assert (there.name, there.role) == (place, role)


def test_what_describes_the_conda_format_has_no_place() -> None:
    assert place_of("info/index.json", CONDA) is None
    assert place_of("etc/conda/test-files/a/1/tests/test_a.py", CONDA) is None


def test_names() -> None:
    assert plain_name("libfoo-1a2b3c4d.so.1.2") == "libfoo.so.1.2"
    assert plain_name("libfoo-bar.so.1") == "libfoo-bar.so.1"
    assert pypi_name("pytorch") == "torch"
    assert pypi_name("Typing_Extensions") == "typing-extensions"
    assert conda_names("torch")[0] == "pytorch"
    assert package_of_library("libboost_python311.so.1.90.0") == "libboost-python"
    assert package_of_library("libnobody.so.1") is None
    assert version_in_name("libboost_python311.so.1.90.0") == "1.90.0"
    assert version_in_name("libpng16.so.16.44.0") == ""
    assert stem_of("libfoo.so.1.2") == stem_of("libfoo.2.dylib") == "libfoo"


def test_debug_information_on_one_side_is_drift(tmp_path: Path) -> None:
    pair = compared(tmp_path).pair
    heavy = replace(pair.left.binaries[CORE], debug=True)
    left = replace(pair.left, binaries={**pair.left.binaries, CORE: heavy})
    found = {(one.severity, one.code, one.place) for one in judge(lay_out(left, pair.right))}
    before = {(one.severity, one.code, one.place) for one in judge(pair)}
    assert found - before == {(Severity.DRIFT, "DIP808", CORE)}


def difference(place: str, severity: Severity = Severity.ERROR) -> Difference:
    return Difference(code="DIP834", severity=severity, place=place, message="x", reason="y")


def test_a_waiver_keeps_its_reason_and_stops_the_failure() -> None:
    waiver = Waiver(code="DIP834", glob="num*", reason="numpy 3 is tested")
    covered, other = waived([difference("numpy"), difference("scipy")], [waiver])
    assert (covered.waived, covered.counts) == ("numpy 3 is tested", False)
    assert (other.waived, other.counts) == ("", True)
    assert waived([difference("numpy", Severity.EXPECTED)], [waiver])[0].waived == ""


def test_idle_and_unknown_waivers_are_refused() -> None:
    waiver = Waiver(code="DIP834", glob="nunpy", reason="…")
    with pytest.raises(ConfigError, match="1 of 1 waivers cover no difference") as caught:
        refuse_idle([waiver], waived([difference("numpy")], [waiver]))
    assert caught.value.details == ('DIP834 "nunpy"; did you mean "numpy"?',)
    with pytest.raises(ConfigError, match='"DIP899"'):
        refuse_unknown([Waiver(code="DIP899", glob="*", reason="…")])


def table(folder: Path, waive: str) -> Path:
    text = f'[project]\nname = "pair"\nversion = "1"\n\n[tool.diptych]\npython = ["3.11"]\n\n{waive}'
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def test_waivers_are_read_from_the_table(tmp_path: Path) -> None:
    entry = '[[tool.diptych.waive]]\ncode = "DIP834"\nglob = "numpy"\nreason = "tested nightly"\n'
    workspace = open_workspace(table(tmp_path, entry), env={}, machine="x86_64", output=Output(env={}))
    assert waivers_of(workspace.config) == (Waiver(code="DIP834", glob="numpy", reason="tested nightly"),)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ('code = "DIP934"\nglob = "*"\nreason = "because"', "tool.diptych.waive[0].code"),
        ('code = "DIP834"\nreason = "because"', "tool.diptych.waive[0].glob: is required"),
        ('code = "DIP834"\nglob = "*"\nreason = ""', "tool.diptych.waive[0].reason"),
        ('code = "DIP834"\nglob = "*"\nreason = "because"\nglobe = "x"', 'did you mean "glob"?'),
    ],
)
def test_faulty_waivers_are_refused(entry: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(table(tmp_path, f"[[tool.diptych.waive]]\n{entry}\n"))
    assert fault in "\n".join(caught.value.details)
