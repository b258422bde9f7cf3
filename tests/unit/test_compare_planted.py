"""Pairs with planted differences: each is found, by the rule that it is for, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych import DOCUMENTATION
from diptych.compare import Rule, all_rules
from diptych.compare.explain import unexplained
from diptych.compare.generate import PAGE, page
from helpers.compare_pairs import CORE, METADATA, SITE, SYMBOLS, Made, Plant, compared, core, found, library
from helpers.elf_builder import Sym

# What any pair of this kind has: the two formats, not the two packages, differ.
EXPECTED = {
    ("expected", "DIP803", CORE),
    ("expected", "DIP812", "libz"),
    ("expected", "DIP825", ""),
    ("expected", "DIP829", "$PREFIX/bin/pair"),
    ("expected", "DIP829", "$PREFIX/bin/pair-tool"),
    ("expected", "DIP832", "__glibc"),
    ("expected", "DIP832", "python"),
    ("expected", "DIP832", "python_abi"),
}
Found = tuple[str, str, str]

WHEEL_NEEDED = ("libz-1a2b3c4d.so.1", "libc.so.6")
OUT_CORE = ("expected", "DIP803", CORE)


def conda_core(made: Made, data: bytes) -> None:
    made.conda.files[f"{SITE}/{CORE}"] = data


def depends(made: Made, old: str, new: str | None) -> None:
    listed = made.conda.index["depends"]
    assert isinstance(listed, list)
    assert old in listed
    made.conda.index["depends"] = [one for one in (new if text == old else text for text in listed) if one]


def also_depends(made: Made, *specs: str) -> None:
    listed = made.conda.index["depends"]
    assert isinstance(listed, list)
    listed.extend(specs)


def text(made: Made) -> None:
    conda_core(made, core(rpath="$ORIGIN/../../..", text=b"\xc3" * 63 + b"\x90"))


def lost_binary(made: Made) -> None:
    del made.conda.files[f"{SITE}/{CORE}"]


def machine(made: Made) -> None:
    conda_core(made, core(rpath="$ORIGIN/../../..", machine=183))


def python_abi(made: Made) -> None:
    made.conda.files[f"{SITE}/{CORE.replace('311', '312')}"] = made.conda.files.pop(f"{SITE}/{CORE}")


def noarch(made: Made) -> None:
    made.conda.index["noarch"] = "generic"


def exported(made: Made) -> None:
    conda_core(made, core(rpath="$ORIGIN/../../..", symbols=(*SYMBOLS, Sym(name="extra", defined=True))))


def wanted(made: Made) -> None:
    conda_core(made, core(rpath="$ORIGIN/../../..", symbols=(*SYMBOLS, Sym(name="deflate"))))


def compilers(made: Made) -> None:
    data = made.conda.files[f"{SITE}/{CORE}"]
    conda_core(made, data.replace(b"GCC: (test) 1.0", b"GCC: (test) 2.0"))


def hardening(made: Made) -> None:
    conda_core(made, core(rpath="$ORIGIN/../../..", extra=((24, 0),)))


def older_promise(made: Made) -> None:
    depends(made, "__glibc >=2.17", "__glibc >=2.12")


def no_promise(made: Made) -> None:
    depends(made, "__glibc >=2.17", None)


def needed(made: Made) -> None:
    made.conda.files[f"{SITE}/{CORE}"] = core(
        rpath="$ORIGIN/../../..", needed=("libz.so.1", "libbz2.so.1.0", "libc.so.6")
    )
    also_depends(made, "bzip2 >=1.0.8,<2.0a0")


def library_version(made: Made) -> None:
    conda_core(made, core(rpath="$ORIGIN/../../..", needed=("libz.so.2", "libc.so.6")))


def library_version_in_name(made: Made) -> None:
    del made.wheel.files["pair.libs/libz-1a2b3c4d.so.1"]
    made.wheel.files["pair.libs/libz-1a2b3c4d.so.1.2.13"] = library("libz-1a2b3c4d.so.1.2.13")
    made.wheel.files[CORE] = core(
        rpath="$ORIGIN/../pair.libs", needed=("libz-1a2b3c4d.so.1.2.13", "libc.so.6")
    )
    conda_core(made, core(rpath="$ORIGIN/../../..", needed=("libz.so.1.2.13", "libc.so.6")))


def from_nowhere(made: Made) -> None:
    depends(made, "libzlib >=1.3.1,<2.0a0", None)


def system_library(made: Made) -> None:
    """Take zlib from the system, which every manylinux policy allows."""
    del made.wheel.files["pair.libs/libz-1a2b3c4d.so.1"]
    made.wheel.files[CORE] = core(rpath="$ORIGIN/../pair.libs")


def wheel_from_nowhere(made: Made) -> None:
    del made.wheel.files["pair.libs/libz-1a2b3c4d.so.1"]
    made.wheel.files[CORE] = core(rpath="$ORIGIN/../pair.libs", needed=("libbz2.so.1", "libc.so.6"))
    conda_core(made, core(rpath="$ORIGIN/../../..", needed=("libbz2.so.1", "libc.so.6")))
    depends(made, "libzlib >=1.3.1,<2.0a0", "bzip2 >=1.0.8,<2.0a0")


def kept_beside(made: Made, folder: str, distribution: str) -> None:
    """Need a library that a required distribution keeps in its own folder of site-packages."""
    needed, path = ("libzed.so.1", "libz.so.1", "libc.so.6"), f"$ORIGIN/../{folder}"
    grafted = ("libzed.so.1", "libz-1a2b3c4d.so.1", "libc.so.6")
    made.wheel.files[CORE] = core(rpath=f"$ORIGIN/../pair.libs:{path}", needed=grafted)
    conda_core(made, core(rpath=f"$ORIGIN/../../..:{path}", needed=needed))
    numpy = "Requires-Dist: numpy>=1.26"
    for side in (made.wheel, made.conda):
        side.change("METADATA", numpy, f"{numpy}\nRequires-Dist: {distribution}>=2")
    also_depends(made, f"{distribution} >=2")


def beside(made: Made) -> None:
    kept_beside(made, "cmeel.prefix/lib", "cmeel-zed")


def beside_in_its_folder(made: Made) -> None:
    kept_beside(made, "zed_far", "zed-far")


def beside_of_nobody(made: Made) -> None:
    kept_beside(made, "cmeel.prefix/lib", "cmeel-other")


def needless_graft(made: Made) -> None:
    made.wheel.files["pair.libs/libbz2-1a2b3c4d.so.1"] = library("libbz2-1a2b3c4d.so.1")


def only_wheel(made: Made) -> None:
    made.wheel.files["pair/extra.py"] = b"x = 1\n"


def only_conda(made: Made) -> None:
    made.conda.files["share/pair/more.txt"] = b"more\n"


def contents(made: Made) -> None:
    made.conda.files[f"{SITE}/pair/table.txt"] = b"1 2 4\n"


def script_contents(made: Made) -> None:
    made.conda.change("bin/pair-tool", "print(1)", "print(2)")


def mode(made: Made) -> None:
    made.conda.modes["bin/pair-tool"] = 0o644


def bytecode(made: Made) -> None:
    made.conda.files[f"{SITE}/pair/__pycache__/__init__.cpython-311.pyc"] = b"\0" * 40


def dist_info(made: Made) -> None:
    made.conda.metadata = ""


def licence_text(made: Made) -> None:
    made.conda.files["info/licenses/LICENSE"] = b"Do as we like.\n"


def licence_missing(made: Made) -> None:
    del made.conda.files["info/licenses/LICENSE"]


def link(made: Made) -> None:
    made.conda.links[f"{SITE}/pair/alias.txt"] = "table.txt"


def inner_metadata(made: Made) -> None:
    made.conda.metadata = METADATA + "More words.\n"


def dependency_lost(made: Made) -> None:
    depends(made, "numpy >=1.26", None)


def dependency_more(made: Made) -> None:
    also_depends(made, "scipy >=1.10")


def renamed_dependency(made: Made) -> None:
    made.wheel.change(
        "METADATA", "Requires-Dist: numpy>=1.26", "Requires-Dist: numpy>=1.26\nRequires-Dist: torch>=2"
    )
    made.conda.metadata = made.wheel.metadata
    also_depends(made, "pytorch >=2")


def marker(made: Made) -> None:
    more = (
        'Requires-Dist: tomli>=2; python_version < "3.11"\nRequires-Dist: colorama; sys_platform == "win32"'
    )
    made.wheel.change("METADATA", "Requires-Dist: numpy>=1.26", f"Requires-Dist: numpy>=1.26\n{more}")
    made.conda.metadata = made.wheel.metadata


def contradiction(made: Made) -> None:
    depends(made, "numpy >=1.26", "numpy >=1.20,<1.26")


def narrower(made: Made) -> None:
    depends(made, "numpy >=1.26", "numpy >=1.26,<3")


def other_python(made: Made) -> None:
    depends(made, "python_abi 3.11.* *_cp311", "python_abi 3.12.* *_cp312")
    depends(made, "python >=3.11,<3.12.0a0", "python >=3.12,<3.13.0a0")


def ruled_out(made: Made) -> None:
    made.wheel.change("METADATA", "Requires-Python: >=3.10", "Requires-Python: >=3.12")
    made.conda.metadata = made.wheel.metadata


def extras(made: Made) -> None:
    made.wheel.change(
        "METADATA",
        "Requires-Python",
        'Provides-Extra: test\nRequires-Dist: pytest; extra == "test"\nRequires-Python',
    )
    made.conda.metadata = made.wheel.metadata


def name(made: Made) -> None:
    made.conda.index["name"] = "couple"


def version(made: Made) -> None:
    made.conda.index["version"] = "1.3"


def licence(made: Made) -> None:
    made.conda.about["license"] = "BSD-3-Clause"


def summary(made: Made) -> None:
    made.conda.about["summary"] = "Three leaves"


def url(made: Made) -> None:
    made.conda.about["home"] = "https://elsewhere.example"


def entry_point(made: Made) -> None:
    made.conda.points = "[console_scripts]\npair = pair:other\n"


def plugin(made: Made) -> None:
    made.wheel.points += "\n[pair.plugins]\nfirst = pair:first\n"


def padded(made: Made) -> None:
    conda_core(made, core(rpath="$ORIGIN/../../..") + bytes(100_000))


def nothing(_: Made) -> None:
    """Leave the pair as it is."""


PLANTS: list[tuple[Plant, set[Found], set[Found]]] = [
    (nothing, set(), set()),
    (text, {("error", "DIP801", CORE)}, {OUT_CORE}),
    (
        lost_binary,
        {("error", "DIP821", CORE), ("error", "DIP815", "libz")},
        {OUT_CORE, ("expected", "DIP812", "libz")},
    ),
    (machine, {("error", "DIP802", CORE)}, set()),
    (python_abi, {("error", "DIP802", CORE)}, set()),
    (noarch, {("error", "DIP802", "")}, set()),
    (exported, {("error", "DIP804", CORE)}, set()),
    (wanted, {("error", "DIP805", CORE)}, set()),
    (compilers, {("drift", "DIP806", CORE)}, set()),
    (hardening, {("drift", "DIP807", CORE)}, set()),
    (older_promise, {("error", "DIP809", "GLIBC")}, set()),
    (no_promise, {("drift", "DIP809", "GLIBC")}, {("expected", "DIP832", "__glibc")}),
    (needed, {("error", "DIP811", CORE), ("error", "DIP815", "libbz2")}, set()),
    (library_version, {("error", "DIP813", "libz")}, {("expected", "DIP812", "libz")}),
    (library_version_in_name, {("error", "DIP813", "libz")}, {("expected", "DIP812", "libz")}),
    (from_nowhere, {("error", "DIP814", "libz")}, {("expected", "DIP812", "libz")}),
    (system_library, set(), set()),
    (wheel_from_nowhere, {("error", "DIP814", "libbz2")}, {("expected", "DIP812", "libz")}),
    (beside, set(), set()),
    (beside_in_its_folder, set(), set()),
    (beside_of_nobody, {("error", "DIP814", "libzed"), ("drift", "DIP814", "libzed")}, set()),
    (needless_graft, {("error", "DIP815", "libbz2")}, set()),
    (only_wheel, {("error", "DIP821", "pair/extra.py")}, set()),
    (only_conda, {("error", "DIP821", "$PREFIX/share/pair/more.txt")}, set()),
    (contents, {("error", "DIP822", "pair/table.txt")}, set()),
    (
        script_contents,
        {("error", "DIP822", "$PREFIX/bin/pair-tool")},
        {("expected", "DIP829", "$PREFIX/bin/pair-tool")},
    ),
    (mode, {("drift", "DIP820", "$PREFIX/bin/pair-tool")}, set()),
    (bytecode, {("expected", "DIP823", "")}, set()),
    (dist_info, {("drift", "DIP824", "")}, {("expected", "DIP825", "")}),
    (licence_text, {("drift", "DIP827", "licenses/LICENSE")}, set()),
    (licence_missing, {("drift", "DIP827", "licenses/LICENSE")}, set()),
    (link, {("expected", "DIP828", "pair/alias.txt")}, set()),
    (inner_metadata, {("drift", "DIP826", "pair.dist-info/METADATA")}, set()),
    (dependency_lost, {("error", "DIP831", "numpy")}, set()),
    (dependency_more, {("error", "DIP831", "scipy")}, set()),
    (renamed_dependency, set(), set()),
    (marker, set(), set()),
    (contradiction, {("error", "DIP833", "numpy")}, set()),
    (narrower, {("drift", "DIP834", "numpy")}, set()),
    (other_python, {("error", "DIP835", "")}, set()),
    (ruled_out, {("error", "DIP835", "")}, set()),
    (extras, {("expected", "DIP836", "")}, set()),
    (name, {("drift", "DIP841", "")}, set()),
    (version, {("error", "DIP842", "")}, set()),
    (licence, {("drift", "DIP843", "")}, set()),
    (summary, {("drift", "DIP844", "")}, set()),
    (url, {("drift", "DIP845", "homepage")}, set()),
    (
        entry_point,
        {("error", "DIP846", "console_scripts:pair"), ("drift", "DIP826", "pair.dist-info/entry_points.txt")},
        set(),
    ),
    (
        plugin,
        {("error", "DIP846", "pair.plugins:first"), ("drift", "DIP826", "pair.dist-info/entry_points.txt")},
        set(),
    ),
    (padded, {("drift", "DIP851", CORE)}, set()),
]


@pytest.mark.parametrize(("plant", "more", "fewer"), PLANTS, ids=[plant.__name__ for plant, _, _ in PLANTS])
def test_each_planted_difference_is_found_and_no_other(
    plant: Plant, more: set[Found], fewer: set[Found], tmp_path: Path
) -> None:
    comparison = compared(tmp_path, plant)
    assert found(comparison) == (EXPECTED | more) - fewer
    assert unexplained(comparison) == ()
    assert bool(comparison) == (not any(severity == "error" for severity, _, _ in more))


def test_every_rule_has_a_plant_or_a_test_of_its_own() -> None:
    planted = {code for _, more, _ in PLANTS for _, code, _ in more} | {code for _, code, _ in EXPECTED}
    elsewhere = {"DIP808"}  # needs DWARF: test_compare_values
    assert {rule.code for rule in all_rules()} == planted | elsewhere


def test_two_builds_may_differ_in_code(tmp_path: Path) -> None:
    comparison = compared(tmp_path, text, one_build=False)
    assert ("drift", "DIP801", CORE) in found(comparison)
    assert comparison


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_says_what_why_how_and_where_from(rule: object) -> None:
    for part in ("what", "why", "mend", "source"):
        words = getattr(rule, part)
        assert len(words) > 5, part
        assert words.endswith("."), part


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_has_an_address_in_the_documentation(rule: Rule) -> None:
    assert rule.page == f"{DOCUMENTATION}/reference/{PAGE.stem}.html#{rule.code.lower()}"
    assert f"\n## {rule.code}\n" in PAGE.read_text(encoding="utf-8")


def test_the_reference_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m diptych.compare.generate"
