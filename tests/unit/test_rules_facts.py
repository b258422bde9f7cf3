"""Rules whose facts no small file shows: made from evidence directly, or from what the loader found."""

from __future__ import annotations

from dataclasses import replace

from diptych.binaries import Binary, Section, Segment, VersionDefinition, VersionNeed
from diptych.closure import Closure, Found, Loaded
from diptych.policy import platform_tag
from diptych.rules import Deep, Evidence, Item, Severity, all_rules, judge
from diptych.rules.names import module_name

ENV = "/env"
BOOST = "libboost_python311.so.1.86.0"

STACK = Segment(name="GNU_STACK", vaddr=0, offset=0, filesz=0, memsz=0, align=16, flags="rw-", loaded=False)


def library(place: str, **facts: object) -> Item:
    options: dict[str, object] = {
        "format": "elf",
        "machine": "x86_64",
        "bits": 64,
        "endianness": "little",
        "kind": "shared",
    }
    binary = Binary(**{"name": place, "size": 100, **options, **facts})  # type: ignore[arg-type]
    return Item(place=place, size=100, binary=binary)


def module(place: str, **facts: object) -> Item:
    name = module_name(place)
    deep = Deep(entries=(f"PyInit_{name.name}",)) if name else Deep()
    return replace(library(place, **facts), module=name, deep=deep)


def loading(item: Item, *entries: Loaded) -> Item:
    return replace(item, closure=Closure(root=f"{ENV}/{item.place}", loaded=entries))


def found(item: Item, name: str, path: str | None, by: Found, binary: Binary | None = None) -> Loaded:
    return Loaded(name=name, path=path, wanted_by=f"{ENV}/{item.place}", found_by=by, binary=binary)


def environment(*items: Item) -> Evidence:
    return Evidence(target="env", kind="environment", root=ENV, items=items)


def codes(evidence: Evidence) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in judge(evidence, all_rules()).findings}


def test_version_that_the_found_library_lacks() -> None:
    need = VersionNeed(library="libstdc++.so.6", version="GLIBCXX_3.4.30", flags=0)
    item = module(
        "lib/_core.cpython-311-x86_64-linux-gnu.so", needed=("libstdc++.so.6",), version_needs=(need,)
    )
    for newest, expected in (("GLIBCXX_3.4.30", {}), ("GLIBCXX_3.4.29", {"DIP308": Severity.ERROR})):
        given = (VersionDefinition(name=newest, parents=(), flags=0),)
        provider = library("lib/libstdc++.so.6", version_definitions=given).binary
        entry = found(item, "libstdc++.so.6", f"{ENV}/lib/libstdc++.so.6", Found.RPATH, provider)
        assert codes(environment(loading(item, entry))) == expected


def test_weak_version_need_is_no_finding() -> None:
    need = VersionNeed(library="libfoo.so.1", version="FOO_2", flags=2)
    item = module("lib/_core.abi3.so", needed=("libfoo.so.1",), version_needs=(need,))
    given = (VersionDefinition(name="FOO_1", parents=(), flags=0),)
    provider = library("lib/libfoo.so.1", version_definitions=given).binary
    entry = found(item, "libfoo.so.1", f"{ENV}/lib/libfoo.so.1", Found.RPATH, provider)
    assert codes(environment(loading(item, entry))) == {}


def test_boost_python_from_outside() -> None:
    item = module("lib/_core.cpython-311-x86_64-linux-gnu.so", needed=(BOOST,))
    outside = found(item, BOOST, f"/usr/lib/x86_64-linux-gnu/{BOOST}", Found.CACHE)
    assert codes(environment(loading(item, outside))) == {"DIP204": Severity.ERROR}
    inside = found(item, BOOST, f"{ENV}/bin/../lib/{BOOST}", Found.RPATH)
    assert codes(environment(loading(item, inside))) == {}


def test_boost_python_that_brings_an_interpreter() -> None:
    assert codes(environment(library(f"lib/{BOOST}", needed=("libpython3.11.so.1.0",)))) == {
        "DIP208": Severity.ERROR
    }


def test_two_grafted_boosts_in_an_environment_are_drift() -> None:
    one = library(
        f"lib/python3.11/site-packages/a.libs/{BOOST}", soname="libboost_python311-01234567.so.1.86.0"
    )
    two = library(
        f"lib/python3.11/site-packages/b.libs/{BOOST}", soname="libboost_python311-89abcdef.so.1.86.0"
    )
    assert codes(environment(one, two)) == {"DIP202": Severity.DRIFT}
    assert codes(environment(one, replace(one, place=f"lib/{BOOST}"))) == {}


def test_segments_that_cannot_be_mapped() -> None:
    segment = Segment(
        name="LOAD", vaddr=0x1010, offset=0x20, filesz=8, memsz=8, align=0x1000, flags="r--", loaded=True
    )
    assert codes(environment(library("lib/libfoo.so", segments=(segment, STACK)))) == {
        "DIP408": Severity.ERROR
    }
    fitting = replace(segment, offset=0x2010)
    assert codes(environment(library("lib/libfoo.so", segments=(fitting, STACK)))) == {}


def test_a_section_outside_of_every_segment() -> None:
    """What an old patchelf leaves when it moves .dynstr: the loader takes it, strip does not."""
    whole = Segment(
        name="LOAD", vaddr=0x1000, offset=0x1000, filesz=64, memsz=64, align=0x1000, flags="r--", loaded=True
    )
    inside = Section(
        name=".dynstr", kind=3, flags=2, vaddr=0x1010, offset=0x1010, size=8, loaded=True, stored=True
    )
    for section, expected in (
        (inside, {}),
        (replace(inside, offset=0x3010, vaddr=0x3010), {"DIP408": Severity.DRIFT}),
        (replace(inside, vaddr=0x1018), {"DIP408": Severity.DRIFT}),
        (replace(inside, offset=0x3010, loaded=False), {}),
    ):
        item = library("lib/libfoo.so", segments=(whole, STACK), sections=(section,))
        assert codes(environment(item)) == expected


def test_debug_information_is_counted() -> None:
    section = Section(
        name=".debug_info", kind=1, flags=0, vaddr=0, offset=0, size=3 << 20, loaded=False, stored=True
    )
    evidence = Evidence(
        target="x.whl",
        kind="wheel",
        items=(library("a/libfoo.so", sections=(section,)),),
        platforms=(platform_tag("manylinux_2_17_x86_64"),),
    )
    assert codes(evidence) == {"DIP507": Severity.NOTE}
    assert (
        codes(replace(evidence, items=(library("a/libfoo.so", sections=(replace(section, size=100),)),)))
        == {}
    )


def test_a_module_without_its_library_is_an_error_in_an_environment() -> None:
    item = module("lib/_core.abi3.so", needed=("libfoo.so.1",))
    missing = found(item, "libfoo.so.1", None, Found.NOT_FOUND)
    assert codes(environment(loading(item, missing))) == {"DIP307": Severity.ERROR}
    optional = replace(missing, optional=True)
    assert codes(environment(loading(item, optional))) == {}


def test_python_of_the_conda_package_may_hold_what_others_may_not() -> None:
    item = replace(
        library("lib/libpython3.11.so.1.0"), owner="python", deep=Deep(python_defined=("Py_Initialize",))
    )
    assert codes(environment(item)) == {}
    stranger = replace(
        library("lib/libembed.so"), owner="other", deep=Deep(python_defined=("Py_Initialize",))
    )
    assert codes(environment(stranger)) == {"DIP103": Severity.ERROR}


def test_a_grafted_library_beside_the_environments_own() -> None:
    own = replace(library("lib/libarrow.so.19.0.0", soname="libarrow.so.19"), owner="libarrow")
    site = "lib/python3.11/site-packages"
    grafted = library(f"{site}/pair.libs/libarrow-0123abcd.so.19.0.0", soname="libarrow-0123abcd.so.19.0.0")
    other = library(f"{site}/pair.libs/libjpeg-0123abcd.so.62", soname="libjpeg-0123abcd.so.62")
    assert codes(environment(own, grafted, other)) == {"DIP706": Severity.DRIFT}
    assert codes(environment(own, other)) == {}
    assert codes(environment(own, replace(grafted, owner="libarrow"))) == {}, "the conda package has both"
