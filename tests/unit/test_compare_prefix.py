"""The two packages of a stage that is a whole prefix: what a wheel cannot hold is expected, its own library is compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.archives import PackageKind
from diptych.compare import Comparison, compare_packages
from diptych.compare.places import is_prefix, moved_programs, place_of
from helpers.compare_pairs import CORE, SITE, Made, base, core, found, library, write

REAL, LINK = "libz.so.1.3", "libz.so.1"
HEADER = b"int inflate();\n"
STAGED = "lib/" + REAL


def prefix_pair() -> Made:
    """The module needs a library of the project's own, which is behind a link."""
    made = base()
    del made.wheel.files["pair.libs/libz-1a2b3c4d.so.1"]
    made.wheel.files["pair.libs/libz-1a2b3c4d.so.1.3"] = library("libz-1a2b3c4d.so.1.3")
    made.wheel.files[CORE] = core(rpath="$ORIGIN/../pair.libs", needed=("libz-1a2b3c4d.so.1.3", "libc.so.6"))
    made.conda.files |= {STAGED: library(LINK), "include/z.h": HEADER}
    made.conda.links["lib/" + LINK] = REAL
    made.conda.index["depends"] = [one for one in made.conda.index["depends"] if "zlib" not in one]  # type: ignore[attr-defined]
    return made


def staged(folder: Path, made: Made) -> Comparison:
    stage = folder / "stage"
    for name, data in made.conda.files.items():
        if not name.startswith("info/") and name != "bin/pair":
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            (stage / name).write_bytes(data)
    (stage / "lib" / LINK).symlink_to(REAL)
    (stage / SITE / CORE).write_bytes(core(rpath="", needed=(LINK, "libc.so.6")))
    return compare_packages(*write(made, folder), stage=stage, one_build=True)


def test_the_rest_of_the_prefix_is_expected(tmp_path: Path) -> None:
    comparison = staged(tmp_path, prefix_pair())
    assert comparison.verdict == "equal", comparison.differences
    assert ("expected", "DIP821", "$PREFIX") in found(comparison)
    evidence = next(one.evidence for one in comparison.findings if one.place == "$PREFIX")
    assert set(evidence) == {"$PREFIX/include/z.h", "$PREFIX/lib/" + LINK}


def test_the_grafted_library_is_held_against_the_stage(tmp_path: Path) -> None:
    made = prefix_pair()
    comparison = staged(tmp_path, made)
    rows = [row for row in comparison.code if row.binary == "$PREFIX/" + STAGED]
    assert rows
    assert all(row.equal and row.stage for row in rows)


def test_another_library_in_the_wheel_is_an_error(tmp_path: Path) -> None:
    made = prefix_pair()
    made.wheel.files["pair.libs/libz-1a2b3c4d.so.1.3"] = core(rpath="", text=b"\x90" * 64, symbols=())
    assert ("error", "DIP801", "$PREFIX/" + STAGED) in found(staged(tmp_path, made))


def test_a_header_that_the_stage_does_not_have_is_an_error(tmp_path: Path) -> None:
    made = prefix_pair()
    comparison = staged(tmp_path, made)
    assert "DIP821" not in {one.code for one in comparison.findings if one.counts}
    made.conda.files["include/added.h"] = HEADER
    again = compare_packages(*write(made, tmp_path), stage=tmp_path / "stage", one_build=True)
    assert ("error", "DIP821", "$PREFIX/include/added.h") in found(again)


def test_where_the_stage_is_not_there_the_record_of_the_build_says_what_it_had(tmp_path: Path) -> None:
    made = prefix_pair()
    pair = write(made, tmp_path)
    facts = {"outside": ["include/z.h", "lib/" + LINK, STAGED]}
    assert ("error", "DIP821", "$PREFIX/include/z.h") in found(compare_packages(*pair, one_build=True))
    comparison = compare_packages(*pair, one_build=True, provenance=facts)
    assert comparison.verdict == "equal", comparison.differences
    made.conda.files["include/added.h"] = HEADER
    again = compare_packages(*write(made, tmp_path), one_build=True, provenance=facts)
    assert ("error", "DIP821", "$PREFIX/include/added.h") in found(again)


def test_of_published_packages_a_wheel_need_not_have_headers(tmp_path: Path) -> None:
    made = prefix_pair()
    comparison = compare_packages(*write(made, tmp_path))
    assert "DIP821" not in {one.code for one in comparison.findings if one.counts}
    made.conda.files["share/data.csv"] = b"1\n"
    again = compare_packages(*write(made, tmp_path))
    assert ("error", "DIP821", "$PREFIX/share/data.csv") in found(again)


@pytest.mark.parametrize(
    ("member", "place"),
    [
        (f"{SITE}/pair/__init__.py", "pair/__init__.py"),
        ("lib/libx.so.3", "$PREFIX/lib/libx.so.3"),
        ("bin/tool", "$PREFIX/bin/tool"),
    ],
)
def test_places_of_a_prefix(member: str, place: str) -> None:
    there = place_of(member, PackageKind.FOLDER, prefix=True)
    assert there is not None
    assert there.name == place


def test_a_program_that_was_moved_is_where_its_starter_is() -> None:
    there = place_of("pair.scripts/tool", PackageKind.WHEEL)
    assert there is not None
    assert there.name == "$PREFIX/bin/tool"
    assert moved_programs(["pair.scripts/tool", "pair/scripts/a", "pair-1.data/scripts/b"]) == {"tool"}


def test_a_prefix_is_known_by_its_site_packages() -> None:
    assert is_prefix(["include/a.h", "lib/python3.13t/site-packages/a.py"])
    assert not is_prefix(["pair/__init__.py", "site-packages/a.py", "lib/python/a.py"])
