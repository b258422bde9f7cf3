from __future__ import annotations

from pathlib import Path

import pytest

from diptych.errors import LinkageError
from diptych.testing.process_records import ProcessRecord, Promise, judge

CELL = Path("/cell/env")
PROMISE = Promise(
    package="pkg",
    python="3.11",
    homes=(CELL, Path("/cell/build")),
    modules=Path("/cell/overlay"),
    own=frozenset({"libssl.so.3"}),
)


def record(
    *libraries: str, version: str = "3.11", module: str = "/cell/overlay/pkg/__init__.py"
) -> ProcessRecord:
    return ProcessRecord(
        executable=CELL / "bin" / "python",
        version=version,
        imported=True,
        modules={"pkg": Path(module)},
        libraries=tuple(map(Path, libraries)),
    )


def test_what_is_of_the_cell_or_the_system_passes() -> None:
    found = judge(
        [
            record(
                "/cell/env/lib/libpython3.11.so.1.0",
                "/cell/build/_core.so",
                "/usr/lib/libm.so.6",
                "/lib/libz.so.1",
            )
        ],
        PROMISE,
    )
    assert len(found) == 4


@pytest.mark.parametrize(
    ("one", "fault"),
    [
        (record(version="3.12"), "wrong Python"),
        (record(module="/cell/env/lib/python3.11/site-packages/pkg/__init__.py"), "pkg was imported from"),
        (
            record("/cell/env/lib/libpython3.11.so.1.0", "/cell/env/x/libpython3.11.so.1.0"),
            "a second libpython",
        ),
        (record("/opt/other/libfoo.so"), "loaded from outside the cell: /opt/other/libfoo.so"),
        (record("/usr/lib/libssl.so.3"), "loaded from the system instead of the cell"),
        (record("/usr/lib/libpython3.11.so.1.0"), "loaded from the system instead of the cell"),
    ],
    ids=["python", "module", "libpython twice", "outside", "shadowed by the system", "system libpython"],
)
def test_each_outside_file_is_named(one: ProcessRecord, fault: str) -> None:
    with pytest.raises(LinkageError) as caught:
        judge([one], PROMISE)
    assert any(fault in line for line in caught.value.details)


def test_tests_that_never_import_the_package_prove_nothing() -> None:
    other = ProcessRecord(executable=CELL, version="3.12", imported=False, modules={}, libraries=())
    with pytest.raises(LinkageError, match='no process imported "pkg"'):
        judge([other], PROMISE)
    judge([other, record()], PROMISE)


def test_a_neighbour_with_a_like_name_is_no_home() -> None:
    with pytest.raises(LinkageError):
        judge([record("/cell/env-other/libfoo.so")], PROMISE)
