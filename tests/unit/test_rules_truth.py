"""Kinds that were judged wrongly on packages of others: each fault beside its healthy twin, with the whole set of findings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from diptych.doctor import Report, examine, find_target, gather
from diptych.doctor.beside import lay_beside
from diptych.doctor.json_sarif import to_json
from diptych.doctor.text import report_lines
from diptych.doctor.why_tag import why_tag
from diptych.errors import FormatError
from diptych.rules import Finding, Severity, all_rules, judge
from helpers.archive_makers import (
    INDEX,
    METADATA,
    WHEEL,
    conda_info,
    honest_wheel,
    make_conda,
    make_wheel,
    paths_json,
    wheel_files,
)
from helpers.elf_builder import Sym, elf
from helpers.macho_builder import MH_BUNDLE, macho

CP311 = "cpython-311-x86_64-linux-gnu.so"
SITE = "lib/python3.11/site-packages"
DEPENDS = ["python >=3.11,<3.12.0a0", "python_abi 3.11.* *_cp311", "libgcc >=13", "__glibc >=2.17"]
E, D, N = Severity.ERROR, Severity.DRIFT, Severity.NOTE


def module(*, symbols: tuple[Sym, ...] = (), **parts: object) -> bytes:
    own = (Sym(name="PyInit__core", defined=True), Sym(name="PyModule_Create2"))
    return elf(symbols=(*own, *symbols), **parts)  # type: ignore[arg-type]


def wheel(
    folder: Path, tag: str, files: Mapping[str, bytes], *, requires: str = "", purelib: bool = False
) -> Path:
    found = wheel_files(files)
    lines = "".join(f"Requires-Dist: {one}\n" for one in requires.split(",") if one)
    found["pair-1.2.dist-info/METADATA"] = METADATA.replace("Requires-Dist: numpy\n", lines).encode()
    said = WHEEL.replace("Purelib: false", f"Purelib: {str(purelib).lower()}")
    found["pair-1.2.dist-info/WHEEL"] = said.encode()
    return honest_wheel(folder, found, name=f"pair-1.2-cp311-cp311-{tag}.whl")


def conda(folder: Path, files: Mapping[str, bytes], **index: object) -> Path:
    info = {**conda_info(files), "info/index.json": json.dumps({**INDEX, **index}).encode()}
    return make_conda(folder, files, info={**info, "info/paths.json": paths_json(files, {})})


def found_in(path: Path, *beside: Path) -> list[Finding]:
    laid = lay_beside([(one.name, one) for one in beside])
    return list(judge(gather(path, shown=path.name, host=None, laid=laid), all_rules()).findings)


def codes(path: Path, *beside: Path) -> list[tuple[str, Severity]]:
    return [(one.code, one.severity) for one in found_in(path, *beside)]


def wanting(library: str, *versions: str) -> dict[str, bytes]:
    symbols = tuple(Sym(name=f"f{at}", version=(library, version)) for at, version in enumerate(versions))
    return {f"pair/_core.{CP311}": module(needed=[library], symbols=symbols)}


@pytest.mark.parametrize(
    ("tag", "library", "versions", "expected"),
    [
        ("manylinux_2_25_x86_64", "libc.so.6", ["GLIBC_2.25"], []),
        ("manylinux_2_25_x86_64", "libc.so.6", ["GLIBC_2.26"], [("DIP401", E)]),
        ("manylinux_2_18_x86_64", "libc.so.6", ["GLIBC_2.18"], []),
        ("manylinux_2_18_x86_64", "libc.so.6", ["GLIBC_2.22"], [("DIP401", E)]),
        ("manylinux_2_37_x86_64", "libc.so.6", ["GLIBC_2.37"], []),
        ("manylinux_2_33_x86_64", "libc.so.6", ["GLIBC_2.33"], []),
        ("manylinux_2_33_x86_64", "libc.so.6", ["GLIBC_2.34"], [("DIP401", E)]),
        ("manylinux1_x86_64", "libc.so.6", ["GLIBC_2.2.5", "GLIBC_2.3.4"], []),
        ("manylinux1_x86_64", "libc.so.6", ["GLIBC_2.6", "GLIBC_2.17", "GLIBC_2.28"], [("DIP401", E)]),
        ("manylinux_2_17_x86_64.manylinux2014_x86_64", "libc.so.6", ["GLIBC_2.17"], []),
        ("manylinux_2_17_x86_64.manylinux2014_x86_64", "libc.so.6", ["GLIBC_2.18"], [("DIP401", E)]),
        ("manylinux_2_17_x86_64", "libstdc++.so.6", ["GLIBCXX_3.4.19"], []),
        ("manylinux_2_17_x86_64", "libstdc++.so.6", ["GLIBCXX_3.4.30", "CXXABI_1.3.13"], [("DIP401", E)]),
    ],
)
def test_versions_against_the_tag(
    tag: str, library: str, versions: list[str], expected: list[tuple[str, Severity]], tmp_path: Path
) -> None:
    path = wheel(tmp_path, tag, wanting(library, *versions))
    assert [one for one in codes(path) if one[0] != "DIP405"] == expected


def test_the_newest_version_is_the_fact_and_the_others_its_evidence(tmp_path: Path) -> None:
    files = wanting("libc.so.6", "GLIBC_2.28", "GLIBC_2.6", "GLIBC_2.17")
    (found,) = found_in(wheel(tmp_path, "manylinux1_x86_64", files))
    assert found.message.startswith("GLIBC_2.28 needs manylinux_2_28, the tag says manylinux_2_5")
    assert [line.split()[0] for line in found.evidence[:3]] == ["GLIBC_2.28", "GLIBC_2.17", "GLIBC_2.6"]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("manylinux_2_17_x86_64.manylinux2014_x86_64", [("DIP407", D)]),
        ("manylinux_2_24_x86_64", []),
    ],
)
def test_a_library_of_a_newer_policy_is_said_once(
    tag: str, expected: list[tuple[str, Severity]], tmp_path: Path
) -> None:
    files = {f"pair/_core.{CP311}": module(needed=["libmvec.so.1"])}
    assert [one for one in codes(wheel(tmp_path, tag, files)) if one[0] != "DIP405"] == expected


@pytest.mark.parametrize("library", ["libcrypt.so.1", "libnsl.so.1", "libthread_db.so.1"])
@pytest.mark.parametrize("grafted", [False, True])
def test_what_systems_have_dropped(library: str, tmp_path: Path, *, grafted: bool) -> None:
    symbols = (Sym(name="thing", version=(library, "GLIBC_2.2.5")),)
    files = {f"pair/_core.{CP311}": module(needed=[library], symbols=symbols, rpath="$ORIGIN")}
    if grafted:
        files[f"pair/{library}"] = elf(soname=library, symbols=[Sym(name="thing", defined=True)])
    found = [one for one in codes(wheel(tmp_path, "manylinux_2_28_x86_64", files)) if one[0] != "DIP405"]
    assert found == ([] if grafted else [("DIP307", D)])
    assert ("DIP405" in dict(codes(wheel(tmp_path, "manylinux_2_28_x86_64", files)))) is False or grafted


@pytest.mark.parametrize(
    ("place", "purelib", "expected"),
    [
        ("pair/_core.so", False, []),
        ("pair/_core.so", True, [("DIP501", D)]),
        ("pair-1.2.data/platlib/pair/_core.so", True, []),
        ("pair-1.2.data/platlib/pair/_core.so", False, []),
        ("pair-1.2.data/purelib/pair/_core.so", False, [("DIP501", D)]),
        ("pair-1.2.data/purelib/pair/_core.so", True, [("DIP501", D)]),
        ("pair-1.2.data/data/lib/libpair.so", True, []),
        ("pair-1.2.data/scripts/pair", True, []),
    ],
)
def test_binaries_in_purelib(
    place: str,
    purelib: bool,  # noqa: FBT001 -- a parameter
    expected: list[tuple[str, Severity]],
    tmp_path: Path,
) -> None:
    data = module() if "_core" in place else elf(soname="libpair.so")
    path = wheel(tmp_path, "manylinux_2_17_x86_64", {place: data}, purelib=purelib)
    assert [one for one in codes(path) if one[0] == "DIP501"] == expected


def test_noarch_is_told_in_the_words_of_conda(tmp_path: Path) -> None:
    files = {"site-packages/pair/_core.abi3.so": module()}
    (found,) = [
        one for one in found_in(conda(tmp_path, files, noarch="python", depends=[])) if one.code == "DIP501"
    ]
    assert "noarch" in found.message
    assert "recipe" in found.next_step


@pytest.mark.parametrize(
    ("needed", "depends", "expected"),
    [
        ("libodbc.so.2", DEPENDS, [("DIP307", E)]),
        ("libodbc.so.2", [*DEPENDS, "unixodbc >=2.3"], []),
        ("libssl.so.3", DEPENDS, []),
        ("libssl.so.3", DEPENDS[1:], [("DIP307", E)]),
        ("libz.so.1", DEPENDS, []),
        ("libc.so.6", DEPENDS, []),
        ("libGL.so.1", DEPENDS, [("DIP307", D)]),
    ],
)
def test_what_a_run_dependency_may_bring(
    needed: str, depends: list[str], expected: list[tuple[str, Severity]], tmp_path: Path
) -> None:
    files = {f"{SITE}/pair/_core.{CP311}": module(needed=[needed], rpath="$ORIGIN/../../..")}
    found = codes(conda(tmp_path, files, depends=depends, subdir="linux-64"))
    assert [one for one in found if one[0] == "DIP307"] == expected


@pytest.mark.parametrize(("library", "expected"), [("libodbc.so.2", []), ("libother.so.2", [("DIP307", E)])])
def test_a_conda_package_beside_its_dependency(
    library: str, expected: list[tuple[str, Severity]], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    files = {f"{SITE}/pair/_core.{CP311}": module(needed=["libodbc.so.2"], rpath="$ORIGIN/../../..")}
    path = conda(tmp_path, files, depends=[*DEPENDS, "unixodbc"], subdir="linux-64")
    other = conda(tmp_path / "other", {f"lib/{library}": elf(soname=library)}, name="unixodbc", depends=[])
    assert [one for one in codes(path, other) if one[0] == "DIP307"] == expected


@pytest.mark.parametrize(("place", "expected"), [("lib", []), ("lib/elsewhere", [("DIP307", D)])])
def test_executable_path_is_the_folder_of_conda_python(
    place: str, expected: list[tuple[str, Severity]], tmp_path: Path
) -> None:
    name = "@executable_path/../lib/libfoo.1.dylib"
    system = "/usr/lib/libSystem.B.dylib"
    core = macho(
        kind=MH_BUNDLE, signed=True, needed=[system, name], symbols=[("_PyInit__core", 0), ("_f", 2)]
    )
    files = {
        f"{SITE}/pair/_core.cpython-311-darwin.so": core,
        f"{place}/libfoo.1.dylib": macho(
            install_name=name, signed=True, needed=[system], symbols=[("_f", 0)]
        ),
    }
    depends = ["python >=3.11", "python_abi 3.11.* *_cp311", "__osx >=11.0"]
    assert codes(conda(tmp_path, files, depends=depends, subdir="osx-arm64")) == expected


@pytest.mark.parametrize(
    ("requires", "rpath", "expected"),
    [
        ("PyPair-Qt6>=6", "$ORIGIN/Qt6/lib", N),  # PyQt6: its own folder, which the required wheel fills
        ("shiboken6==6.7", "$ORIGIN/../shiboken6", N),  # PySide: the folder of a sibling
        ("cmeel,cmeel-foo", "$ORIGIN/../cmeel.prefix/lib", N),
        ("nvidia-foo-cu12", "$ORIGIN/../nvidia/foo/lib", N),
        ("numpy", "$ORIGIN/../pair.libs", E),  # a repair tool's own folder: nobody else fills it
        ("numpy", "$ORIGIN/lib", E),
        ("", "$ORIGIN/Qt6/lib", E),
        ("PyPair-Qt6; extra == 'qt'", "$ORIGIN/Qt6/lib", E),
    ],
)
def test_a_folder_that_a_required_wheel_fills(
    requires: str, rpath: str, expected: Severity, tmp_path: Path
) -> None:
    files = {f"pair/_core.{CP311}": module(needed=["libfoolib.so.6"], runpath=rpath)}
    (found,) = [
        one
        for one in found_in(wheel(tmp_path, "manylinux_2_17_x86_64", files, requires=requires))
        if one.code == "DIP307"
    ]
    assert found.severity is expected
    if expected is N:
        assert (
            requires.split(",", maxsplit=1)[0].split("=", maxsplit=1)[0].rstrip("<>;=").lower()
            in found.message
        )


def test_a_library_is_told_once_with_all_that_need_it(tmp_path: Path) -> None:
    lone = elf(soname="libone.so", needed=["libfoo.so.1"])
    files = {
        f"pair/_core.{CP311}": module(needed=["libfoo.so.1"]),
        "pair/libone.so": lone,
        "pair/libtwo.so": elf(soname="libtwo.so", needed=["libfoo.so.1"]),
    }
    (found,) = [
        one for one in found_in(wheel(tmp_path, "manylinux_2_17_x86_64", files)) if one.code == "DIP307"
    ]
    assert (found.severity, found.place) == (E, f"pair/_core.{CP311}")


def test_an_absolute_name_of_the_build_machine_is_told_once(tmp_path: Path) -> None:
    core = macho(
        kind=MH_BUNDLE, signed=True, needed=["/opt/homebrew/lib/libfoo.dylib"], symbols=[("_PyInit__core", 0)]
    )
    files = {"pair/_core.cpython-311-darwin.so": core}
    assert codes(wheel(tmp_path, "macosx_11_0_arm64", files)) == [("DIP606", E)]


@pytest.mark.parametrize(("rpath", "expected"), [("$ORIGIN::", ["DIP302"]), ("$ORIGIN:$ORIGIN", ["DIP303"])])
def test_empty_entries_are_no_entry_twice(rpath: str, expected: list[str], tmp_path: Path) -> None:
    path = wheel(tmp_path, "manylinux_2_17_x86_64", {f"pair/_core.{CP311}": module(rpath=rpath)})
    assert [code for code, _ in codes(path)] == expected


@pytest.mark.parametrize(("defined", "expected"), [("host_call", []), ("other_call", [("DIP309", N)])])
def test_a_plugin_takes_names_from_the_program_that_loads_it(
    defined: str, expected: list[tuple[str, Severity]], tmp_path: Path
) -> None:
    files = {
        "pair/bin/host": elf(kind=2, symbols=[Sym(name=defined, defined=True)]),
        "pair/plugins/libplug.so": elf(
            soname="libplug.so", symbols=[Sym(name="host_call"), Sym(name="p", defined=True)]
        ),
    }
    assert [
        one for one in codes(wheel(tmp_path, "manylinux_2_17_x86_64", files)) if one[0] == "DIP309"
    ] == expected


def examined(*paths: Path) -> Report:
    targets = [find_target(str(path), cwd=Path("/"), search=[]) for path in paths]
    return examine(targets, rules=all_rules(), host=None)


def test_a_windows_wheel_is_said_not_to_be_looked_at(tmp_path: Path) -> None:
    path = wheel(tmp_path, "win_amd64", {"pair/_core.cp311-win_amd64.pyd": b"MZ" + bytes(200)})
    report = examined(path)
    text = "\n".join(line.text for line in report_lines(report))
    assert "not looked at: 1 Windows binary (PE is not read)" in text
    assert " of " in text.splitlines()[1] or " of " in text.splitlines()[2]
    looked = len(all_rules()) - len(report.judged[0].skipped)
    assert f"{looked} of {len(all_rules())} rules had something to look at" in text
    assert {"DIP501", "DIP502"} <= set(report.judged[0].skipped)
    assert to_json(report)["targets"][0]["unseen"]


def test_what_is_left_to_run_dependencies_is_said(tmp_path: Path) -> None:
    files = {f"{SITE}/pair/_core.{CP311}": module(needed=["libodbc.so.2"], rpath="$ORIGIN/../../..")}
    path = conda(tmp_path, files, depends=[*DEPENDS, "unixodbc"], subdir="linux-64")
    assert any("libodbc.so.2" in line for line in judge(gather(path, shown="p", host=None), ()).unseen)


def test_a_healthy_wheel_leaves_nothing_unseen(tmp_path: Path) -> None:
    path = wheel(tmp_path, "manylinux_2_17_x86_64", wanting("libc.so.6", "GLIBC_2.17"))
    assert judge(gather(path, shown="p", host=None), ()).unseen == ()


@pytest.mark.parametrize(
    ("tag", "library", "lowest"),
    [
        ("manylinux1_x86_64", "libc.so.6", "manylinux_2_5"),
        ("linux_x86_64", "libc.so.6", "manylinux_2_5"),
        ("musllinux_1_1_x86_64", "libc.musl-x86_64.so.1", "musllinux_1_1"),
        ("musllinux_1_2_x86_64", "libc.so", "musllinux_1_1"),
    ],
)
def test_why_tag_of_what_needs_the_oldest_policy(tag: str, library: str, lowest: str, tmp_path: Path) -> None:
    files = {f"pair/_core.{CP311}": module(needed=[library])}
    why = why_tag(wheel(tmp_path, tag, files), shown="w")
    assert str(why.lowest) == lowest
    assert why.steps == ()
    assert why.to_json()["levels"] == []


def test_versions_of_libz_count_for_no_musllinux_tag(tmp_path: Path) -> None:
    symbol = Sym(name="inflateReset2", version=("libz.so.1", "ZLIB_1.2.3.4"))
    data = module(needed=["libz.so.1", "libc.musl-x86_64.so.1"], symbols=(symbol,))
    path = wheel(tmp_path, "musllinux_1_2_x86_64", {"pair/_core.so": data})
    assert str(why_tag(path, shown=path.name).lowest) == "musllinux_1_1"


def test_why_tag_of_one_newer_level(tmp_path: Path) -> None:
    why = why_tag(wheel(tmp_path, "manylinux_2_28_x86_64", wanting("libc.so.6", "GLIBC_2.28")), shown="w")
    assert [tuple(map(str, step)) for step in why.steps] == [("manylinux_2_28", "manylinux_2_5")]


@pytest.mark.parametrize("name", ["pair-1.2-py3-none-any.whl", "pair-1.2-0.conda"])
def test_an_archive_without_members_is_an_error_and_no_traceback(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"PK\5\6" + bytes(18))
    assert [(one.code, one.severity) for one in examined(path).findings] == [("DIP502", E)]
    with pytest.raises(FormatError):
        why_tag(path, shown=name)


@pytest.mark.parametrize(
    ("tag", "tags", "expected"),
    [
        ("musllinux_1_2_x86_64", "runpath", []),
        ("musllinux_1_2_x86_64", "rpath", []),
        ("manylinux_2_17_x86_64", "rpath", []),
        ("manylinux_2_17_x86_64", "runpath", [("DIP307", E)]),
    ],
)
def test_whose_run_path_is_inherited(
    tag: str, tags: str, expected: list[tuple[str, Severity]], tmp_path: Path
) -> None:
    folder = "$ORIGIN/../pair.libs"
    files = {
        f"pair/_core.{CP311}": module(
            needed=["libone.so"],
            rpath=folder if tags == "rpath" else None,
            runpath=folder if tags == "runpath" else None,
        ),
        "pair.libs/libone.so": elf(soname="libone.so", needed=["libtwo.so"]),
        "pair.libs/libtwo.so": elf(soname="libtwo.so"),
    }
    assert [one for one in codes(wheel(tmp_path, tag, files)) if one[0] == "DIP307"] == expected


@pytest.mark.parametrize(("tag", "expected"), [("manylinux_2_17_x86_64", N), ("musllinux_1_2_x86_64", E)])
def test_what_ctypes_has_loaded_by_its_path(tag: str, expected: Severity, tmp_path: Path) -> None:
    load = b"import ctypes, os\nctypes.CDLL(os.path.join(os.path.dirname(__file__), 'lib', 'libone.so'))\n"
    files = {
        "pair/__init__.py": load,
        f"pair/_core.{CP311}": module(needed=["libone.so"]),
        "pair/lib/libone.so": elf(soname="libone.so"),
    }
    found = [one for one in codes(wheel(tmp_path, tag, files)) if one[0] == "DIP307"]
    assert found == [("DIP307", expected)]


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        ("torch>=2.4", N),
        ("torch>=2.4; python_version < '3.13'", N),
        ("numpy", E),
        ("torch; extra == 'gpu'", E),
    ],
)
def test_names_that_a_required_distribution_brings(requires: str, expected: Severity, tmp_path: Path) -> None:
    files = {f"pair/_core.{CP311}": module(needed=["libc10.so", "libtorch_cpu.so"])}
    found = found_in(wheel(tmp_path, "manylinux_2_28_x86_64", files, requires=requires))
    assert [one.severity for one in found if one.code == "DIP307"] == [expected] * 2


@pytest.mark.parametrize("metadata", [b"", b"\xff\xfe", b"Metadata-Version: 2.1\n"])
def test_damaged_metadata_costs_metadata_alone(metadata: bytes, tmp_path: Path) -> None:
    files = wheel_files({f"pair/_core.{CP311}": module(needed=["libpython3.11.so.1.0"])})
    files["pair-1.2.dist-info/METADATA"] = metadata
    path = make_wheel(tmp_path, files, name="pair-1.2-cp311-cp311-manylinux_2_17_x86_64.whl")
    assert ("DIP101", E) in codes(path)


def test_advice_for_a_conda_package_is_conda_s(tmp_path: Path) -> None:
    symbols = (Sym(name="thing", version=("libc.so.6", "GLIBC_2.34")),)
    data = module(needed=["libc.so.6", "libodbc.so.2"], rpath="$ORIGIN/../../..", symbols=symbols)
    path = conda(tmp_path, {f"{SITE}/pair/_core.{CP311}": data}, depends=DEPENDS, subdir="linux-64")
    steps = {one.code: one.next_step for one in found_in(path)}
    assert "c_stdlib_version 2.34" in steps["DIP401"]
    assert "run export" in steps["DIP307"]


def test_a_name_with_a_slash_is_replaced_and_not_given_a_run_path_alone(tmp_path: Path) -> None:
    data = module(needed=["build/libfoo.so"], rpath="$ORIGIN")
    files = {f"pair/_core.{CP311}": data, "pair/libfoo.so": elf(soname="libfoo.so")}
    (found,) = [
        one for one in found_in(wheel(tmp_path, "manylinux_2_17_x86_64", files)) if one.code == "DIP307"
    ]
    assert found.severity is E
    assert "patchelf --replace-needed build/libfoo.so libfoo.so" in found.next_step


IMPORTS = {
    "except ImportError": (
        {"pair/gpu/__init__.py": "try:\n    from ._cuda import run\nexcept ImportError:\n    run = None\n"},
        D,
    ),
    "except and another error": (
        {
            "pair/gpu/__init__.py": "try:\n    import pair.gpu._cuda\nexcept (ImportError, RuntimeError):\n    pass\n",
        },
        D,
    ),
    "suppress": (
        {
            "pair/gpu/__init__.py": (
                "import contextlib\nwith contextlib.suppress(ImportError):\n    from . import _cuda\n"
            )
        },
        D,
    ),
    "caught, but for another reason": (
        {"pair/gpu/__init__.py": "try:\n    from ._cuda import run\nexcept KeyError:\n    run = None\n"},
        E,
    ),
    "once caught, once not": (
        {
            "pair/gpu/__init__.py": "try:\n    from ._cuda import run\nexcept ImportError:\n    run = None\n",
            "pair/fast.py": "from pair.gpu import _cuda\n",
        },
        E,
    ),
    "a module of the same name elsewhere": (
        {
            "pair/gpu/__init__.py": "",
            "pair/__init__.py": "try:\n    from ._cuda import run\nexcept ImportError:\n    run = None\n",
        },
        E,
    ),
    "imported from above": ({"pair/gpu/__init__.py": "from ..gpu._cuda import run\n"}, E),
    "a package without __init__": ({"pair/__init__.py": "", "pair/gpu/notes.py": "run = None\n"}, E),
    "a folder that is no package": ({"other/__init__.py": "", "pair/notes.py": "run = None\n"}, D),
    "no package at all": ({}, E),
    "a text that is no Python": ({"pair/gpu/__init__.py": "from ._cuda import {{ name }}\n"}, E),
}


@pytest.mark.parametrize("case", IMPORTS)
def test_a_module_that_the_package_can_do_without(case: str, tmp_path: Path) -> None:
    sources, expected = IMPORTS[case]
    own = (Sym(name="PyInit__cuda", defined=True), Sym(name="PyModule_Create2"))
    data = elf(symbols=own, needed=["libcublas.so.13"])
    files = {f"pair/gpu/_cuda.{CP311}": data, **{name: text.encode() for name, text in sources.items()}}
    found = found_in(wheel(tmp_path, "manylinux_2_17_x86_64", files))
    assert [(one.code, one.severity) for one in found] == [("DIP307", expected)]


def test_a_debugger_s_library_with_a_module_s_name(tmp_path: Path) -> None:
    own = (Sym(name="pair_spawn", defined=True), Sym(name="PyGILState_Ensure"))
    for symbols, expected in ((own, D), (own[1:], E)):
        files = {f"pair/_inject.{CP311}": elf(symbols=symbols)}
        (found,) = found_in(wheel(tmp_path, "manylinux_2_17_x86_64", files))
        assert (found.code, found.severity) == ("DIP107", expected)


def test_many_entries_of_one_run_path_are_one_finding(tmp_path: Path) -> None:
    path = "/home/a/lib:/opt/b/lib:$ORIGIN:.:lib"
    files = {f"{folder}/_core.{CP311}": module(needed=["libc.so.6"], rpath=path) for folder in ("a", "b")}
    found = {one.code: one for one in found_in(wheel(tmp_path, "manylinux_2_17_x86_64", files))}
    assert list(found) == ["DIP301", "DIP302"]
    assert "2 folders of the build machine" in found["DIP301"].message
    assert 'entry "." and entry "lib"' in found["DIP302"].message


def test_the_name_of_the_stable_abi_in_a_package_for_one_python(tmp_path: Path) -> None:
    """Its one Python imports it (pysimdjson 7.0.2 on CPython 3.12): the name alone promises more."""
    files = {"pair/_core.abi3.so": module(symbols=(Sym(name="PyUnicode_New"),))}
    (tmp_path / "wheel").mkdir()
    (tmp_path / "conda").mkdir()
    site = {f"lib/python3.11/site-packages/{name}": content for name, content in files.items()}
    stable = [one for one in DEPENDS if not one.startswith("python_abi")]
    for path, expected in (
        (wheel(tmp_path / "wheel", "manylinux_2_17_x86_64", files), D),
        (conda(tmp_path / "conda", site, depends=DEPENDS), D),
        (conda(tmp_path, site, depends=[*stable, "cpython >=3.11", "_python_abi3_support 1.*"]), E),
    ):
        assert [one.severity for one in found_in(path) if one.code == "DIP110"] == [expected]
