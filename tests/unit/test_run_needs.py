"""What binaries need becomes run dependencies: true, one a name, and none that nothing needs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from rattler import MatchSpec

from diptych.binaries import Binary, VersionNeed
from diptych.errors import PackageError
from diptych.packages.depends import RunNeeds, settle
from diptych.packages.needs import Need, needs_of
from diptych.packages.specs import merged, name_of
from diptych.policy.gcc_releases import release_with

ELF = Binary(name="a.so", format="elf", machine="x86_64", bits=64, endianness="little", kind="shared", size=1)
MACH_O = replace(ELF, format="macho", machine="arm64")


def needing(library: str, *versions: str, flags: int = 0) -> Binary:
    needs = tuple(VersionNeed(library=library, version=version, flags=flags) for version in versions)
    return replace(ELF, needed=(library,), version_needs=needs)


LIBC, CXX, GCC = "libc.so.6", "libstdc++.so.6", "libgcc_s.so.1"


@pytest.mark.parametrize(
    ("binaries", "specs"),
    [
        (
            [needing(LIBC, "GLIBC_2.4", "GLIBC_2.17"), needing(LIBC, "GLIBC_2.2.5")],
            ["__glibc >=2.17,<3.0.a0"],
        ),
        ([needing(LIBC, "GLIBC_PRIVATE")], []),
        ([needing(LIBC, "GLIBC_2.38", flags=2)], []),
        ([needing(CXX, "GLIBCXX_3.4.21", "CXXABI_1.3.13", "GLIBCXX_3.4.9")], ["libstdcxx >=11.1"]),
        ([needing(CXX, "CXXABI_FLOAT128")], ["libstdcxx >=4.8"]),
        ([needing(CXX, "GLIBCXX_3.4.99")], ["libstdcxx >=15.1"]),
        ([needing(CXX)], ["libstdcxx"]),
        ([needing(GCC, "GCC_3.0", "GCC_13.0.0", "GCC_4.2.0")], ["libgcc >=13.0.0"]),
        ([needing(GCC, "GCC_99.0.0")], ["libgcc >=99.0.0"]),
        ([replace(MACH_O, min_os="11.0"), replace(MACH_O, min_os="10.13")], ["__osx >=11.0"]),
        ([ELF], []),
        ([], []),
    ],
    ids=["highest", "no number", "weak", "C++", "old name", "new", "none", "gcc", "new gcc", "mac", "none of it", "no"],
)  # fmt: skip
def test_the_strictest_need_counts(binaries: list[Binary], specs: list[str]) -> None:
    named = {f"{place}.so": one for place, one in enumerate(binaries)}
    assert [need.spec for need in needs_of(named)] == specs


def test_a_need_names_file_and_version() -> None:
    (need,) = needs_of({"pkg/_core.so": needing(CXX, "GLIBCXX_3.4.30")})
    assert need == Need(spec="libstdcxx >=12.1", source="pkg/_core.so (GLIBCXX_3.4.30)")


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("GLIBCXX_3.4", "4.8"), ("GLIBCXX_3.4.28", "9.3"), ("CXXABI_1.3.12", "9.1"), ("GLIBCXX_3.4.32", "13.2"),
        ("GCC_3.3.1", "3.3.1"), ("GLIBC_2.17", None), ("GCC_LEAF", None),
    ],
)  # fmt: skip
def test_the_release_of_a_symbol_version(version: str, release: str | None) -> None:
    assert release_with(version) == release


def needs(*specs: str) -> list[Need]:
    return [Need(spec=spec, source=f"source {place}") for place, spec in enumerate(specs)]


@pytest.mark.parametrize(
    ("specs", "one"),
    [
        (["numpy >=1.23,<3", "numpy >=1.26"], "numpy >=1.26,<3"),
        (["python", "python >=3.11,<3.12.0a0"], "python >=3.11,<3.12.0a0"),
        (["a >=1", "a >1"], "a >1"),
        (["a <=2", "a <2"], "a <2"),
        (["a 1.2.*", "a >=1"], "a >=1,1.2.*"),
        (["a >=1|<0.5", "a <3"], "a <3,(>=1|<0.5)"),
        (["python_abi 3.11.* *_cp311", "python_abi 3.11.*"], "python_abi 3.11.* *_cp311"),
        (["a * *_cp311", "a 1 h_cp311"], "a ==1 h_cp311"),
        (["a", "a"], "a"),
        (["a[version='>=2']"], "a[version='>=2']"),
    ],
)
def test_specs_of_a_name_become_their_intersection(specs: list[str], one: str) -> None:
    (found,) = merged(needs(*specs))
    assert found.spec == one
    MatchSpec(found.spec)  # a client can read it


@pytest.mark.parametrize(
    "specs",
    [
        ["numpy >=2,<3", "numpy <2"],
        ["numpy >=1", "numpy ==1.25", "numpy >1.25"],
        ["python_abi 3.11.* *_cp311", "python_abi 3.11.* *_cp312"],
    ],
)
def test_a_contradiction_names_both_sources(specs: list[str]) -> None:
    with pytest.raises(PackageError, match=r"no version of .* satisfies both") as caught:
        merged(needs(*specs))
    last = len(specs) - 1
    assert caught.value.details == (
        f'"{specs[-2]}" comes from source {last - 1}',
        f'"{specs[-1]}" comes from source {last}',
    )


@pytest.mark.parametrize(("spec", "name"), [("a", "a"), ("a >=1", "a"), ("a>=1", "a"), ("a[build=x]", "a")])
def test_the_name_of_a_spec(spec: str, name: str) -> None:
    assert name_of(spec) == name


def unpacked(root: Path, depends: list[dict[str, str]]) -> Path:
    recipe = root / "info" / "recipe" / "rendered_recipe.yaml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(yaml.safe_dump({"finalized_dependencies": {"run": {"depends": depends}}}), "utf-8")
    specs = [one.get("source") or one["spec"] for one in depends]
    (root / "info" / "index.json").write_text(json.dumps({"name": "x", "depends": specs}), "utf-8")
    return root


EXPORTED = {"spec": "libboost >=1.90,<1.91.0a0", "run_export": "libboost-devel", "from": "host"}


def test_what_nothing_links_is_left_out_and_told(tmp_path: Path) -> None:
    root = unpacked(tmp_path, [EXPORTED, {"source": "python"}])
    settled = settle(root, RunNeeds(idle=frozenset({"libboost", "python"})))
    assert [need.spec for need in settled.depends] == ["python"]
    assert settled.dropped == (
        Need(spec="libboost >=1.90,<1.91.0a0", source="the run exports of libboost-devel"),
    )
    assert json.loads((root / "info" / "index.json").read_text("utf-8"))["depends"] == ["python"]


def test_what_the_recipe_names_stays(tmp_path: Path) -> None:
    root = unpacked(tmp_path, [EXPORTED, {"source": EXPORTED["spec"]}])
    settled = settle(root, RunNeeds(idle=frozenset({"libboost"})))
    assert [need.spec for need in settled.depends] == [EXPORTED["spec"]]


def test_needs_of_binaries_join_what_is_stated(tmp_path: Path) -> None:
    root = unpacked(tmp_path, [{"source": "__glibc >=2.17,<3.0.a0"}, {"source": "python"}])
    needs_ = needs_of({"a.so": needing(LIBC, "GLIBC_2.32"), "b.so": needing(CXX, "GLIBCXX_3.4.30")})
    settled = settle(root, RunNeeds(needs=needs_))
    assert [need.spec for need in settled.depends] == [
        "__glibc >=2.32,<3.0.a0",
        "libstdcxx >=12.1",
        "python",
    ]
    assert settled.depends[0].source == "the recipe's run; a.so (GLIBC_2.32)"


def test_a_bound_that_the_binaries_contradict_is_refused(tmp_path: Path) -> None:
    root = unpacked(tmp_path, [{"source": "libstdcxx <12"}])
    with pytest.raises(PackageError, match="libstdcxx") as caught:
        settle(root, RunNeeds(needs=needs_of({"b.so": needing(CXX, "GLIBCXX_3.4.30")})))
    assert caught.value.details == (
        '"libstdcxx <12" comes from the recipe\'s run',
        '"libstdcxx >=12.1" comes from b.so (GLIBCXX_3.4.30)',
    )
