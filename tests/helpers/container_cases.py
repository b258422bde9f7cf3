"""Containers with one fault each, beside their healthy twins: wheels and conda packages, with what the doctor has to say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from diptych.rules import Severity
from helpers.archive_makers import INDEX, conda_info, make_conda, make_wheel, paths_json, wheel_record
from helpers.elf_builder import elf

E, D, N = Severity.ERROR, Severity.DRIFT, Severity.NOTE
INFO = "pair-1.2.dist-info"
NAME = "pair-1.2-py3-none-any.whl"
META = "Metadata-Version: 2.4\nName: pair\nVersion: 1.2\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
LICENCE = {f"{INFO}/licenses/L": b"MIT"}
PREFIX = ("/opt/h_env_" + "placehold_" * 30)[:255]
SITE = "lib/python3.11/site-packages"
FOR_311 = ["python >=3.11,<3.12.0a0", "python_abi 3.11.* *_cp311", "__glibc >=2.17"]


@dataclass(frozen=True, kw_only=True)
class WheelCase:
    """What a wheel holds; ``late`` is put in after RECORD was written."""

    meta: str = META
    wheel: str = WHEEL
    more: Mapping[str, bytes] = field(default_factory=dict)
    late: Mapping[str, bytes] = field(default_factory=dict)
    info: str = INFO
    name: str = NAME
    rows: str = ""

    def write(self, folder: Path) -> Path:
        content = {"pair.py": b"", **self.more}
        content |= {f"{self.info}/METADATA": self.meta.encode(), f"{self.info}/WHEEL": self.wheel.encode()}
        record = wheel_record(content, self.info) + self.rows.encode()
        folder.mkdir(parents=True, exist_ok=True)
        return make_wheel(folder, {**content, f"{self.info}/RECORD": record, **self.late}, name=self.name)


@dataclass(frozen=True, kw_only=True)
class CondaCase:
    """What a conda package holds; ``prefix`` registers a build prefix and its mode for a file."""

    files: Mapping[str, bytes]
    links: Mapping[str, str] = field(default_factory=dict)
    prefix: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    index: Mapping[str, Any] = field(default_factory=dict)
    late: Mapping[str, bytes] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        index = {**INDEX, "subdir": "linux-64", "depends": ["__glibc >=2.17"], **self.index}
        paths = json.loads(paths_json(self.files, self.links))
        for row in paths["paths"]:
            if row["_path"] in self.prefix:
                row["prefix_placeholder"], row["file_mode"] = self.prefix[row["_path"]]
        info = {
            **conda_info(self.files),
            "info/index.json": json.dumps(index).encode(),
            "info/paths.json": json.dumps(paths).encode(),
        }
        folder.mkdir(parents=True, exist_ok=True)
        return make_conda(folder, {**self.files, **self.late}, info=info, links=self.links)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A fault and its healthy twin.

    Attributes:
        bad: with the fault.
        good: without it.
        code: the rule that has to find it.
        severity: how bad it is.
        refused: pip or rattler refuses to install the bad one.
    """

    bad: WheelCase | CondaCase
    good: WheelCase | CondaCase
    code: str
    severity: Severity
    refused: bool = False


PLAIN = WheelCase()
DATA = "pair-1.2.data"
WHEELS = {
    "file not recorded": Pair(
        bad=WheelCase(late={"late.py": b""}),
        good=WheelCase(more={"late.py": b""}),
        code="DIP511",
        severity=E,
    ),
    "changed after packing": Pair(
        bad=WheelCase(late={"pair.py": b"#"}, more={"pair.py": b"!"}),
        good=WheelCase(more={"pair.py": b"#"}),
        code="DIP511",
        severity=E,
    ),
    "changed in size": Pair(
        bad=WheelCase(late={"pair.py": b"x = 1\n"}), good=PLAIN, code="DIP511", severity=E
    ),
    "hexadecimal hash": Pair(
        bad=WheelCase(late={"a.py": b""}, rows=f"a.py,sha256={'e3' * 32},0\n"),
        good=WheelCase(more={"a.py": b""}),
        code="DIP511",
        severity=E,
    ),
    "weak hash": Pair(
        bad=WheelCase(late={"a.py": b""}, rows="a.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,0\n"),
        good=WheelCase(more={"a.py": b""}),
        code="DIP511",
        severity=E,
    ),
    "recorded and not there": Pair(
        bad=WheelCase(rows="gone.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"),
        good=PLAIN,
        code="DIP511",
        severity=D,
    ),
    "another version in METADATA": Pair(
        bad=WheelCase(meta=META.replace("1.2", "1.3")), good=PLAIN, code="DIP512", severity=E, refused=True
    ),
    "another name in METADATA": Pair(
        bad=WheelCase(meta=META.replace("pair", "peer")), good=PLAIN, code="DIP512", severity=E, refused=True
    ),
    "name spelt otherwise in METADATA": Pair(
        bad=WheelCase(meta=META.replace("1.2", "1.2.1")),
        good=WheelCase(meta=META.replace("pair", "Pair").replace("1.2", "1.2.0")),
        code="DIP512",
        severity=E,
        refused=True,
    ),
    "METADATA without a name": Pair(
        bad=WheelCase(meta="Metadata-Version: 2.4\nVersion: 1.2\n"),
        good=PLAIN,
        code="DIP512",
        severity=E,
        refused=True,
    ),
    "another tag in WHEEL": Pair(
        bad=WheelCase(wheel=WHEEL.replace("py3", "py2")), good=PLAIN, code="DIP512", severity=D
    ),
    "compressed tags": Pair(
        bad=WheelCase(name="pair-1.2-py2.py3-none-any.whl"),
        good=WheelCase(name="pair-1.2-py2.py3-none-any.whl", wheel=WHEEL + "Tag: py2-none-any\n"),
        code="DIP512",
        severity=D,
    ),
    "folder not escaped": Pair(
        bad=WheelCase(
            name="my_pair-1.2-py3-none-any.whl",
            info="my-pair-1.2.dist-info",
            meta=META.replace("pair", "my-pair"),
        ),
        good=WheelCase(
            name="my_pair-1.2-py3-none-any.whl",
            info="my_pair-1.2.dist-info",
            meta=META.replace("pair", "my-pair"),
        ),
        code="DIP512",
        severity=E,
        refused=True,
    ),
    "two metadata folders": Pair(
        bad=WheelCase(late={"pair-1.1.dist-info/METADATA": META.replace("1.2", "1.1").encode()}),
        good=WheelCase(more={"pair/_vendor/six-1.1.dist-info/METADATA": b""}),
        code="DIP502",
        severity=E,
        refused=True,
    ),
    "licence in old metadata": Pair(
        bad=WheelCase(meta=META.replace("2.4", "2.1") + "License-File: L\n", more=LICENCE),
        good=WheelCase(meta=META + "License-File: L\n", more=LICENCE),
        code="DIP513",
        severity=D,
    ),
    "licence absent": Pair(
        bad=WheelCase(meta=META + "License-File: L\n"),
        good=WheelCase(meta=META + "\nLicense-File: L\n"),
        code="DIP513",
        severity=D,
    ),
    "unknown scheme": Pair(
        bad=WheelCase(more={f"{DATA}/share/a.txt": b""}),
        good=WheelCase(more={f"{DATA}/data/share/a.txt": b""}),
        code="DIP518",
        severity=E,
        refused=True,
    ),
    "file without a scheme": Pair(
        bad=WheelCase(more={f"{DATA}/a.txt": b""}),
        good=WheelCase(more={f"{DATA}/scripts/a.txt": b""}),
        code="DIP518",
        severity=E,
        refused=True,
    ),
    "data folder of another version": Pair(
        bad=WheelCase(more={"pair-1.1.data/purelib/a.py": b""}),
        good=WheelCase(more={f"{DATA}/purelib/a.py": b""}),
        code="DIP518",
        severity=D,
    ),
    "tests on top": Pair(
        bad=WheelCase(more={"tests/a.py": b""}),
        good=WheelCase(more={"pair/tests/a.py": b""}),
        code="DIP508",
        severity=D,
    ),
    "no Wheel-Version": Pair(
        bad=WheelCase(wheel=WHEEL.partition("\n")[2]), good=PLAIN, code="DIP523", severity=E, refused=True
    ),
    "Wheel-Version 2": Pair(
        bad=WheelCase(wheel=WHEEL.replace("1.0", "2.0")), good=PLAIN, code="DIP523", severity=E, refused=True
    ),
    "Wheel-Version 1.9": Pair(
        bad=WheelCase(wheel=WHEEL.replace("1.0", "1.9")), good=PLAIN, code="DIP523", severity=D
    ),
    "Wheel-Version in words": Pair(
        bad=WheelCase(wheel=WHEEL.replace("1.0", "one")), good=PLAIN, code="DIP523", severity=E, refused=True
    ),
    "WHEEL without tags": Pair(
        bad=WheelCase(wheel=WHEEL.partition("Tag")[0]), good=PLAIN, code="DIP512", severity=D
    ),
    "METADATA of nothing": Pair(bad=WheelCase(meta=""), good=PLAIN, code="DIP512", severity=E, refused=True),
    "METADATA without a version": Pair(
        bad=WheelCase(meta=META.replace("Version: 1.2\n", "")),
        good=PLAIN,
        code="DIP512",
        severity=E,
        refused=True,
    ),
    "a version that is none": Pair(
        bad=WheelCase(meta=META.replace("1.2", "1.2.x")),
        good=WheelCase(meta=META.replace("1.2", "1.2.0")),
        code="DIP512",
        severity=E,
        refused=True,
    ),
    "a requirement that is none": Pair(
        bad=WheelCase(meta=META + "Requires-Dist: numpy >>> 1\n"),
        good=WheelCase(
            meta=META + "Requires-Dist: numpy>=1,!=1.5; python_version>'3.8'\nRequires-Dist: a[b] (>=1)\n"
        ),
        code="DIP523",
        severity=E,
        refused=True,
    ),
    "a requirement without an operator": Pair(
        bad=WheelCase(meta=META + "Requires-Dist: numpy 1.0\n"),
        good=WheelCase(meta=META + "Requires-Dist: numpy ==1.*\n"),
        code="DIP523",
        severity=E,
        refused=True,
    ),
    "a script without a function": Pair(
        bad=WheelCase(more={f"{INFO}/entry_points.txt": b"[console_scripts]\npair = pair\n"}),
        good=WheelCase(more={f"{INFO}/entry_points.txt": b"[console_scripts]\npair = pair:main\n"}),
        code="DIP523",
        severity=E,
        refused=True,
    ),
    "a script of nothing": Pair(
        bad=WheelCase(more={f"{INFO}/entry_points.txt": b"[gui_scripts]\npair = \n"}),
        good=WheelCase(
            more={f"{INFO}/entry_points.txt": b"[other]\npair = pair\n[gui_scripts]\np = a.b:c.d [x]\n"}
        ),
        code="DIP523",
        severity=E,
        refused=True,
    ),
    "a script of two words": Pair(
        bad=WheelCase(more={f"{INFO}/entry_points.txt": b"[console_scripts]\npair = pair main\n"}),
        good=WheelCase(
            more={f"{INFO}/entry_points.txt": b"# pair main\n[console_scripts]\npair=pair:main\n"}
        ),
        code="DIP523",
        severity=E,
        refused=True,
    ),
    "a script with blanks at the colon": Pair(
        bad=WheelCase(more={f"{INFO}/entry_points.txt": b"[console_scripts]\npair = pair : main\n"}),
        good=WheelCase(more={f"{INFO}/entry_points.txt": b"[console_scripts]\n  pair  =  pair:main  \n"}),
        code="DIP523",
        severity=E,
        refused=True,
    ),
    "names that differ in case": Pair(
        bad=WheelCase(more={"pair_/A.py": b"", "pair_/a.py": b""}),
        good=WheelCase(more={"pair_/A.py": b"", "pair_/b.py": b""}),
        code="DIP506",
        severity=E,
    ),
    "recorded twice": Pair(
        bad=WheelCase(rows="pair.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"),
        good=PLAIN,
        code="DIP511",
        severity=D,
    ),
    "a row of one word": Pair(bad=WheelCase(rows="pair\n"), good=PLAIN, code="DIP511", severity=E),
    "a row of four": Pair(bad=WheelCase(rows="a,b,c,d\n"), good=PLAIN, code="DIP511", severity=E),
    "a row without a hash": Pair(
        bad=WheelCase(late={"a.py": b""}, rows="a.py,,\n"),
        good=WheelCase(
            late={"a,b.py": b""}, rows='"a,b.py",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n'
        ),
        code="DIP511",
        severity=E,
    ),
    "a size in words": Pair(
        bad=WheelCase(
            late={"a.py": b""}, rows="a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,zero\n"
        ),
        good=WheelCase(more={"a.py": b""}),
        code="DIP511",
        severity=E,
    ),
    "a path that leaves the folder": Pair(
        bad=WheelCase(more={"../late.py": b""}),
        good=WheelCase(more={"late/..py": b""}),
        code="DIP502",
        severity=E,
        refused=True,
    ),
    "an absolute path": Pair(
        bad=WheelCase(more={"/late.py": b""}),
        good=WheelCase(more={"late.py": b""}),
        code="DIP502",
        severity=E,
        refused=True,
    ),
    "a file and a folder": Pair(
        bad=WheelCase(more={"pair.py/a.py": b""}),
        good=WheelCase(more={"pair_py/a.py": b""}),
        code="DIP502",
        severity=E,
        refused=True,
    ),
    "a build tag that is none": Pair(
        bad=WheelCase(name="pair-1.2-abc-py3-none-any.whl"),
        good=WheelCase(name="pair-1.2-1abc-py3-none-any.whl", wheel=WHEEL + "Build: 1abc\n"),
        code="DIP502",
        severity=E,
        refused=True,
    ),
    "a name of four parts": Pair(
        bad=WheelCase(name="pair-1.2-py3-none.whl"), good=PLAIN, code="DIP502", severity=E, refused=True
    ),
    "folder of another version": Pair(
        bad=WheelCase(info="pair-1.3.dist-info"),
        good=WheelCase(info="pair-1.2.0.dist-info"),
        code="DIP512",
        severity=D,
    ),
    "licence file of 2.3": Pair(
        bad=WheelCase(meta=META.replace("2.4", "2.3") + "License-File: L\n", more=LICENCE),
        good=WheelCase(meta=META + "License-File: L\n", more={f"{INFO}/L": b"MIT"}),
        code="DIP513",
        severity=D,
    ),
    "licence file outside": Pair(
        bad=WheelCase(meta=META + "License-File: ../L\n"),
        good=WheelCase(meta=META + "License-File: a/L\n", more={f"{INFO}/licenses/a/L": b"MIT"}),
        code="DIP513",
        severity=D,
    ),
    "docs on top": Pair(
        bad=WheelCase(more={"docs/a.py": b""}),
        good=WheelCase(more={"pair/docs/a.py": b""}),
        code="DIP508",
        severity=D,
    ),
}

BINARY = elf(soname="libpair.so.1", needed=["libc.so.6"]) + PREFIX.encode() + b"\0"
SHORT = "/opt/conda-bld/pair_1700000000/_h_env"
SCRIPT = f"#!{PREFIX}/bin/python\n".encode()
LIB = {"lib/libpair.so.1": elf(soname="libpair.so.1", needed=["libc.so.6"])}
REGISTERED = {"lib/libpair.so.1": (PREFIX, "binary")}
WITH_PREFIX = CondaCase(files={"lib/libpair.so.1": BINARY}, prefix=REGISTERED)
TEXT = {f"{SITE}/pair.py": b""}
CONDAS = {
    "changed after packing": Pair(
        bad=CondaCase(files=TEXT, late={f"{SITE}/pair.py": b"#"}, index={"depends": FOR_311}),
        good=CondaCase(files=TEXT, index={"depends": FOR_311}),
        code="DIP515",
        severity=E,
    ),
    "file not recorded": Pair(
        bad=CondaCase(files=LIB, late={"share/late.txt": b""}),
        good=CondaCase(files={**LIB, "share/late.txt": b""}),
        code="DIP515",
        severity=E,
    ),
    "binary as text": Pair(
        bad=replace(WITH_PREFIX, prefix={"lib/libpair.so.1": (PREFIX, "text")}),
        good=WITH_PREFIX,
        code="DIP516",
        severity=E,
    ),
    "prefix not registered": Pair(
        bad=replace(WITH_PREFIX, prefix={}), good=CondaCase(files=LIB), code="DIP516", severity=D
    ),
    "interpreter not registered": Pair(
        bad=CondaCase(files={"bin/pair": SCRIPT}),
        good=CondaCase(files={"bin/pair": SCRIPT}, prefix={"bin/pair": (PREFIX, "text")}),
        code="DIP516",
        severity=E,
    ),
    "registered and absent": Pair(
        bad=CondaCase(files=LIB, prefix=REGISTERED), good=WITH_PREFIX, code="DIP516", severity=D
    ),
    "no room": Pair(
        bad=CondaCase(
            files={"lib/libpair.so.1": LIB["lib/libpair.so.1"] + SHORT.encode() + b"\0"},
            prefix={"lib/libpair.so.1": (SHORT, "binary")},
        ),
        good=WITH_PREFIX,
        code="DIP516",
        severity=D,
    ),
    "prefix across two pieces": Pair(
        bad=CondaCase(files={"share/pair.bin": bytes((1 << 20) - 100) + PREFIX.encode()}),
        good=CondaCase(files={"share/pair.bin": bytes((1 << 20) + 155)}),
        code="DIP516",
        severity=D,
    ),
    "noarch without python": Pair(
        bad=CondaCase(
            files={"site-packages/pair.py": b""},
            index={"noarch": "python", "subdir": "noarch", "depends": []},
        ),
        good=CondaCase(
            files={"site-packages/pair.py": b""},
            index={"noarch": "python", "subdir": "noarch", "depends": ["python >=3.9"]},
        ),
        code="DIP517",
        severity=E,
        refused=True,
    ),
    "folder of another Python": Pair(
        bad=CondaCase(files={"lib/python3.1/site-packages/pair.py": b""}, index={"depends": FOR_311}),
        good=CondaCase(files=TEXT, index={"depends": FOR_311}),
        code="DIP517",
        severity=E,
    ),
    "folder of another Python, without python_abi": Pair(
        bad=CondaCase(files=TEXT, index={"depends": ["python >=3.12,<3.13.0a0"]}),
        good=CondaCase(files=TEXT, index={"depends": ["python >=3.11"]}),
        code="DIP517",
        severity=E,
    ),
    "link to nothing": Pair(
        bad=CondaCase(files=LIB, links={"lib/libpair.so": "libpair.so.2"}),
        good=CondaCase(files=LIB, links={"lib/libpair.so": "libpair.so.1", "lib64": "lib"}),
        code="DIP519",
        severity=D,
    ),
    "link to what a dependency may bring": Pair(
        bad=CondaCase(
            files=LIB, links={"lib/libz.so": "libz.so.1"}, index={"depends": ["zlib", "__glibc >=2.17"]}
        ),
        good=CondaCase(files=LIB, index={"depends": ["zlib", "__glibc >=2.17"]}),
        code="DIP519",
        severity=N,
    ),
    "absolute link": Pair(
        bad=CondaCase(files=LIB, links={"lib/libpair.so": "/opt/build/lib/libpair.so.1"}),
        good=CondaCase(files=LIB, links={"lib/libpair.so": "libpair.so.1"}),
        code="DIP502",
        severity=E,
    ),
    "link that leaves the prefix": Pair(
        bad=CondaCase(files=LIB, links={"lib/libpair.so": "../../etc/libpair.so"}),
        good=CondaCase(files=LIB, links={"lib/libpair.so": "../lib/libpair.so.1"}),
        code="DIP502",
        severity=E,
    ),
    "another build in index.json": Pair(
        bad=CondaCase(files=LIB, index={"build": "py311_1"}),
        good=CondaCase(files=LIB),
        code="DIP520",
        severity=D,
    ),
    "dependencies as one text": Pair(
        bad=CondaCase(files=LIB, index={"depends": "zlib"}),
        good=CondaCase(files=LIB, index={"depends": ["zlib"]}),
        code="DIP520",
        severity=E,
        refused=True,
    ),
    "build number as text": Pair(
        bad=CondaCase(files=LIB, index={"build_number": "0"}),
        good=CondaCase(files=LIB, index={"build_number": 0}),
        code="DIP520",
        severity=E,
        refused=True,
    ),
    "no name in index.json": Pair(
        bad=CondaCase(files=LIB, index={"name": ""}),
        good=CondaCase(files=LIB),
        code="DIP502",
        severity=E,
    ),
    "another name in index.json": Pair(
        bad=CondaCase(files=LIB, index={"name": "peer"}),
        good=CondaCase(files=LIB),
        code="DIP520",
        severity=D,
    ),
    "another version in index.json": Pair(
        bad=CondaCase(files=LIB, index={"version": "1.3"}),
        good=CondaCase(files=LIB),
        code="DIP520",
        severity=D,
    ),
    "a number in depends": Pair(
        bad=CondaCase(files=LIB, index={"depends": ["__glibc >=2.17", 3]}),
        good=CondaCase(files=LIB, index={"depends": ["__glibc >=2.17", "pair-data 3"]}),
        code="DIP520",
        severity=E,
        refused=True,
    ),
    "negative build number": Pair(
        bad=CondaCase(files=LIB, index={"build_number": -1}),
        good=CondaCase(files=LIB, index={"build_number": 1}),
        code="DIP520",
        severity=E,
        refused=True,
    ),
    "link in a circle": Pair(
        bad=CondaCase(files=LIB, links={"lib/a.so": "b.so", "lib/b.so": "a.so"}),
        good=CondaCase(files=LIB, links={"lib/a.so": "b.so", "lib/b.so": "libpair.so.1"}),
        code="DIP502",
        severity=E,
    ),
    "text changed in length": Pair(
        bad=CondaCase(files={**LIB, "share/a.txt": b"one"}, late={"share/a.txt": b"three"}),
        good=CondaCase(files={**LIB, "share/a.txt": b"three"}),
        code="DIP515",
        severity=E,
    ),
    "unknown subdir": Pair(
        bad=CondaCase(files=TEXT, index={"subdir": "lin-64", "depends": FOR_311}),
        good=CondaCase(files=TEXT, index={"subdir": "linux-64", "depends": FOR_311}),
        code="DIP520",
        severity=D,
    ),
}
