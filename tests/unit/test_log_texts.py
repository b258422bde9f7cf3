"""Error texts of loaders, installers and build tools, alone and inside of logs: the symptom, and the names in the answer."""

from __future__ import annotations

import pytest

from diptych.doctor.examine import Report
from diptych.doctor.triage import triage, triage_lines
from diptych.rules import all_rules

NOTHING = Report(judged=(), rules=all_rules())
SO = "/w/pair/_core.cpython-311-x86_64-linux-gnu.so"
TEXTS = {
    "executable stack": (
        f"ImportError: {SO}: cannot enable executable stack as shared object requires: Invalid argument",
        "LOG409",
        [SO],
    ),
    "static TLS": (f"ImportError: {SO}: cannot allocate memory in static TLS block", "LOG410", [SO]),
    "initial-exec TLS on musl": (
        f"ImportError: Error relocating {SO}: counter: initial-exec TLS resolves to dynamic definition in {SO}",
        "LOG411",
        [SO, "counter"],
    ),
    "glibc's names on musl": (
        f"ImportError: Error relocating {SO}: __memcpy_chk: symbol not found",
        "LOG412",
        [SO, "__memcpy_chk"],
    ),
    "own names on musl": (
        f"ImportError: Error relocating {SO}: pair_open: symbol not found",
        "LOG413",
        [SO, "pair_open"],
    ),
    "text relocations": (
        f"ImportError: {SO}: cannot restore segment prot after reloc: Permission denied",
        "LOG414",
        [SO],
    ),
    "entry function": (
        "ImportError: dynamic module does not define module export function (PyInit_pair)",
        "LOG107",
        ["PyInit_pair"],
    ),
    "path of the build machine": (
        "ImportError: /src/out/libpair.so: cannot open shared object file: No such file or directory",
        "LOG310",
        ["/src/out/libpair.so"],
    ),
    "version of a symbol": (
        f"ImportError: {SO}: symbol pair_open, version PAIR_2 not defined in file libpair.so.1 with link time reference",
        "LOG416",
        ["pair_open", "PAIR_2", "libpair.so.1"],
    ),
    "undefined with a version": (
        f"ImportError: {SO}: undefined symbol: pair_open, version PAIR_2",
        "LOG309",
        ["pair_open"],
    ),
    "packed relocations": (
        f"ImportError: /lib64/libc.so.6: version `GLIBC_ABI_DT_RELR' not found (required by {SO})",
        "LOG407",
        [SO],
    ),
    "private glibc": (
        "ImportError: /lib64/libc.so.6: version `GLIBC_PRIVATE' not found (required by /w/pair.libs/libnsl-1234abcd.so.1)",
        "LOG415",
        ["/w/pair.libs/libnsl-1234abcd.so.1"],
    ),
    "chained fixups": (
        (
            "ImportError: dlopen(/w/_core.so, 2): no suitable image found.  Did find: /w/_core.so: cannot load '_core.so' "
            "(load command 0x80000034 is unknown)"
        ),
        "LOG605",
        ["0x80000034"],
    ),
    "odd offset": (
        "OSError: dlopen(/w/_core.so, 0x0006): tried: '/w/_core.so' (mis-aligned LINKEDIT string pool, fileOffset=0x0000C124)",
        "LOG606",
        ["/w/_core.so"],
    ),
    "compatibility version": (
        "Reason: Incompatible library version: _core.so requires version 9.0.0 or later, but libpair.1.dylib provides version 8.0.0",
        "LOG607",
        ["_core.so", "libpair.1.dylib", "9.0.0"],
    ),
    "compatibility version at length": (
        (
            "ImportError: dlopen(/w/_core.so, 2): Library not loaded: @rpath/libpair.1.dylib\n"
            "  Referenced from: /w/_core.so\n"
            "  Reason: Incompatible library version: _core.so requires version 9.0.0 or later, but libpair.1.dylib "
            "provides version 8.0.0"
        ),
        "LOG607",
        ["libpair.1.dylib", "9.0.0"],
    ),
    "flat namespace": (
        "ImportError: dlopen(/w/_core.so, 0x0002): symbol not found in flat namespace '_cblas_caxpy'",
        "LOG608",
        ["_cblas_caxpy"],
    ),
    "no room in the header": (
        (
            "error: install_name_tool: changing install names or rpaths can't be redone for: _core.so (for architecture arm64) "
            "because larger updated load commands do not fit"
        ),
        "LOG609",
        ["_core.so"],
    ),
    "two metadata folders": (
        "ERROR: pair has an invalid wheel, multiple .dist-info directories found: pair-1.1.dist-info, pair-1.2.dist-info",
        "LOG508",
        ["pair-1.1.dist-info, pair-1.2.dist-info"],
    ),
    "not recorded": (
        "AssertionError: In pair-1.2-cp311-cp311-manylinux_2_17_x86_64.whl, pair/late.py is not mentioned in RECORD",
        "LOG509",
        ["pair/late.py"],
    ),
    "field too new": (
        "HTTPError: 400 Bad Request from https://upload.example.org/legacy/ license-file introduced in metadata version 2.4, not 2.1",
        "LOG510",
        ["license-file", "2.4"],
    ),
    "padding": (
        "PaddingError: Placeholder of length '80' too short in package conda-forge::pair-1.2-0.",
        "LOG511",
        ["conda-forge::pair-1.2-0", "80"],
    ),
    "noarch": (
        "Caused by: cannot install noarch python package because there is no python version specified",
        "LOG512",
        [],
    ),
    "clobber": (
        (
            "ClobberError: This transaction has incompatible packages due to a shared path.\n"
            "  packages: conda-forge::one-1.0-0, conda-forge::two-1.0-0\n"
            "  path: 'lib/python3.11/site-packages/tests/__init__.py'"
        ),
        "LOG513",
        ["conda-forge::one-1.0-0", "lib/python3.11/site-packages/tests/__init__.py"],
    ),
    "link out of the prefix": ("Caused by: symlink target escapes target prefix", "LOG514", []),
    "no ELF header": (f"ImportError: {SO}: invalid ELF header", "LOG417", [SO]),
    "too short": (f"ImportError: {SO}: file too short", "LOG417", [SO]),
    "cut off": (f"ImportError: {SO}: ELF load command past end of file", "LOG417", [SO]),
    "illegal instruction": ("Fatal Python error: Illegal instruction", "LOG418", []),
    "branch tracking": (
        f"ImportError: {SO}: rebuild shared object with IBT support enabled",
        "LOG419",
        ["IBT"],
    ),
    "not for dlopen": (f"ImportError: {SO}: shared object cannot be dlopen()ed", "LOG420", [SO]),
    "glibc's loader on musl": (
        "Error relocating /lib/ld-linux-x86-64.so.2: unsupported relocation type 37",
        "LOG421",
        ["/lib/ld-linux-x86-64.so.2"],
    ),
    "tag of macOS": (
        "ERROR: pair-1.2-cp311-cp311-macosx_14_2_arm64.whl is not a supported wheel on this platform.",
        "LOG422",
        ["pair-1.2-cp311-cp311-macosx_14_2_arm64.whl"],
    ),
    "purelib": (
        (
            "RuntimeError: Invalid binary wheel, found the following shared library/libraries in purelib folder: _core.so. "
            "The wheel has to be platlib compliant in order to be repaired by auditwheel."
        ),
        "LOG515",
        ["_core.so"],
    ),
    "no SONAME to graft": (
        "ValueError: Could not find soname in .libspair/libcrypt-2-a5d5a997.12.so",
        "LOG516",
        [".libspair/libcrypt-2-a5d5a997.12.so"],
    ),
}
FORMS = {
    "alone": "{}",
    "in a traceback": 'Traceback (most recent call last):\n  File "/w/t.py", line 1, in <module>\n    import pair\n{}\nmake: *** [t] 1',
    "under pytest": "tests/test_pair.py:1: in <module>\nE   {}\n=== 1 error in 0.1s ===",
    "in a dated log": "2026-11-28T01:02:03.4567890Z {}\n2026-11-28T01:02:04.0000000Z ##[error]Process completed with exit code 1.",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_known_in_every_form(name: str, form: str) -> None:
    text, code, names = TEXTS[name]
    first, _, rest = FORMS[form].partition("{}")
    prefix = first.rpartition("\n")[2]
    whole = first + text.replace("\n", f"\n{prefix}") + rest
    found = triage(whole, NOTHING)
    assert [match.symptom.code for match in found.matches] == [code]
    answer = " ".join("".join(part for part in str(line)) for line in triage_lines(found))
    shown = "".join(answer.split())
    assert all("".join(name.split()) in shown for name in names)
