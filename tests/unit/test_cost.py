"""The figures of a package: what a benchmark printed, what came along, and their plain form."""

from __future__ import annotations

import json
import subprocess  # noqa: TID251 -- the probe is a program of its own
import sys
from pathlib import Path

import pytest

from diptych.cost import Benchmark, Cost, Costs, Shared
from diptych.cost.benchmark import of_several, printed_numbers
from diptych.cost.probe import extension_modules
from diptych.cost.sizes import sizes_in_conda, sizes_in_venv
from diptych.errors import HostEnvironmentError

PROBE = Path(sys.modules[extension_modules.__module__].__file__ or "")


@pytest.mark.parametrize(
    ("output", "numbers"),
    [
        ("", {}),
        ("warming up\n1.5\n", {}),
        ('{"fit": 3, "seek": 1.5}\n', {"fit": 3, "seek": 1.5}),
        ('{"fit": 9}\n{"fit": 3}\ndone\n', {"fit": 3}),
        ('{"a": {"b": 1, "c": {"d": 2}}, "name": "x", "ok": true, "list": [1]}', {"a.b": 1, "a.c.d": 2}),
        ('{"fit": 3}\n{not json\n', {"fit": 3}),
        ('{"a": NaN, "b": Infinity, "c": 1}', {"c": 1}),
    ],
)
def test_the_last_json_object_gives_the_numbers(output: str, numbers: dict[str, float]) -> None:
    assert printed_numbers(output) == numbers


def test_of_several_runs_the_least_wall_time_and_the_middle_of_each_number() -> None:
    runs = [Benchmark(seconds=3, numbers={"a": 1, "b": 1}), Benchmark(seconds=1, numbers={"a": 9})]
    runs.append(Benchmark(seconds=2, numbers={"a": 2, "b": 3}))
    assert of_several(runs) == Benchmark(seconds=1, numbers={"a": 2})


def cost(**more: object) -> Cost:
    values: dict[str, object] = {
        "install_seconds": 2.0,
        "import_seconds": 0.1,
        "load_seconds": 0.002,
        "loaded": 3,
        "own": 100,
        "shared": (Shared(name="numpy", version="2", size=50),),
    }
    return Cost(**{**values, **more})  # type: ignore[arg-type]


def test_costs_come_back_from_their_plain_form() -> None:
    costs = Costs(
        left=cost(benchmark=Benchmark(seconds=1, numbers={"a": 1})),
        right=cost(shared=(), load_seconds=None, loaded=None),
        command="python bench.py",
    )
    plain = json.loads(json.dumps(costs.to_json()))
    assert Costs.from_json(plain) == costs
    assert (plain["left"]["with_shared"], plain["right"]["with_shared"]) == (150, 100)


def package(prefix: Path, name: str, size: int, *depends: str) -> None:
    (prefix / "conda-meta").mkdir(parents=True, exist_ok=True)
    file = prefix / "lib" / f"{name}.bin"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"x" * size)
    record = {
        "name": name,
        "version": "1",
        "depends": list(depends),
        "files": [f"lib/{name}.bin", "lib/gone.pyc"],
    }
    (prefix / "conda-meta" / f"{name}-1-0.json").write_text(json.dumps(record))


def test_what_python_alone_needs_is_not_what_a_conda_package_brings(tmp_path: Path) -> None:
    package(tmp_path, "python", 1000, "libzlib >=1.2", "absent")
    package(tmp_path, "libzlib", 100)
    package(tmp_path, "pair", 10, "python", "numpy >=1", "libzlib >=1.3")
    package(tmp_path, "numpy", 7, "python", "libblas")
    package(tmp_path, "libblas", 70)
    own, shared = sizes_in_conda(tmp_path, "pair")
    assert own == 10
    assert [(one.name, one.size) for one in shared] == [("libblas", 70), ("numpy", 7)]
    both, shared = sizes_in_conda(tmp_path, "pair", "libblas")  # split packages are one thing that is shipped
    assert both == 80
    assert [one.name for one in shared] == ["numpy"]


def test_a_wheel_s_files_are_those_of_its_record(tmp_path: Path) -> None:
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    for name, size in (("my_pair", 10), ("numpy", 70)):
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "RECORD").write_text(f"{name}.py,,\n{name}.pyc,,\n")
        (site / f"{name}.py").write_bytes(b"x" * size)
    (site / "stray.py").write_bytes(b"x" * 500)
    assert sizes_in_venv(tmp_path, "My.Pair") == (10, (Shared(name="numpy", version="1.0", size=70),))
    with pytest.raises(HostEnvironmentError, match="does not hold other"):
        sizes_in_venv(tmp_path, "other")


def test_modules_are_told_from_libraries_beside_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "somepair"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (folder / "_core.abi3.so").write_bytes(b"\x7fELF PyInit__core\0")
    (folder / "libcore.so").write_bytes(b"\x7fELF core_run\0")
    monkeypatch.syspath_prepend(tmp_path)
    assert extension_modules("somepair") == [str(folder / "_core.abi3.so").encode()]


def probe(what: str, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(PROBE), what, name], capture_output=True, text=True, check=False
    )


def test_the_probe_times_an_import_and_says_when_there_is_nothing_to_load() -> None:
    assert json.loads(probe("import", "sqlite3").stdout)["seconds"] > 0
    assert json.loads(probe("load", "json").stdout) == {"seconds": None, "libraries": None}
    missing = probe("load", "no_such_package")
    assert (missing.returncode, "no_such_package is not installed" in missing.stderr) == (1, True)
