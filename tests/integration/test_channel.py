"""The local channel from end to end, with one channel for the whole session: pip, patchelf, rattler, CMake."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess  # noqa: TID251 -- two runs at once, and programs of the environment
import sys
from pathlib import Path

import pytest
import rattler
import rattler_build

from diptych import channel, interpreters
from diptych.binaries import read_file
from diptych.channel import LocalChannel, pypi
from diptych.errors import ChannelError, MissingToolError
from diptych.store import Store
from helpers.needs import lacking, needs_linux

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
HOST = ["libboost-python-devel", "eigen", "numpy"]
SPECS = [*HOST, "pytest", "pip"]
ENV = dict(os.environ)  # noqa: TID251 -- tests are a surface
# Longer than what fits into a #! line (127), and than most places that a prefix gets compiled into.
LONG = "a-prefix-that-is-longer-than-any-that-was-compiled-in-" * 3


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[LocalChannel, Store]:
    root = tmp_path_factory.mktemp("channel")
    store = Store(root=root / "store")
    found = interpreters.find(PYTHON, env=ENV, store=store)
    if found is None or not found.has_headers:
        lacking(f"a Python {PYTHON} with its headers", package="python3-dev")
    made = channel.ensure(SPECS, python=PYTHON, root=root / "channel", store=store, env=ENV, say=print)
    return made, store


def again(shared: tuple[LocalChannel, Store], specs: list[str], said: list[str]) -> LocalChannel:
    made, store = shared
    return channel.ensure(specs, python=PYTHON, root=made.root, store=store, env=ENV, say=said.append)


def install(url: str, prefix: Path, specs: list[str], cache: Path) -> None:
    async def run() -> None:
        gateway = rattler.Gateway(cache_dir=cache)
        records = await rattler.solve(
            [url],
            [rattler.MatchSpec(spec) for spec in specs],
            gateway=gateway,
            virtual_packages=rattler.VirtualPackage.detect(),
        )
        await rattler.install(records, prefix, show_progress=False, cache_dir=cache)

    asyncio.run(run())


@pytest.fixture(scope="session")
def prefix(shared: tuple[LocalChannel, Store], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("env")
    install(shared[0].url, folder / LONG, [f"python {PYTHON}.*", *SPECS], folder / "cache")
    return folder / LONG


def said_by(*command: str | Path, cwd: Path) -> str:
    clean = {key: value for key, value in ENV.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=clean, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_package_says_where_it_is_from(shared: tuple[LocalChannel, Store]) -> None:
    origins = {each.file.name: each.origin for each in shared[0].packages}

    assert {
        *SPECS,
        "python",
        "python_abi",
        "libboost",
        "libboost-headers",
        "libboost-devel",
    } <= origins.keys()
    assert "cmeel" not in origins
    assert origins["python"]["interpreter"]
    for name, origin in origins.items():
        if origin["kind"] == "wheel":
            assert len(str(origin["sha256"])) == 64, name
            assert origin["url"], name


def test_second_run_makes_nothing_and_says_nothing(shared: tuple[LocalChannel, Store]) -> None:
    said: list[str] = []
    found = again(shared, SPECS, said)

    assert said == []
    assert not any(each.made for each in found.packages)
    assert [each.file for each in found.packages] == [each.file for each in shared[0].packages]


def test_python_runs_from_the_new_prefix(prefix: Path) -> None:
    code = """
import ctypes, json, sys, sysconfig, numpy, zlib
names = ("INCLUDEPY", "LIBDIR", "LIBPL", "prefix", "exec_prefix")
print(json.dumps([sys.prefix, numpy.__file__, *(sysconfig.get_config_var(name) for name in names)]))
"""
    places = json.loads(said_by(prefix / "bin" / "python", "-I", "-c", code, cwd=prefix))

    assert places
    assert all(place.startswith(str(prefix)) for place in places)
    assert Path(places[2], "Python.h").is_file()


def test_optional_modules_survive_the_move(prefix: Path) -> None:
    source = interpreters.find(PYTHON, env=ENV)
    assert source is not None
    code = """
import importlib
for name in ("ssl", "sqlite3", "lzma", "bz2", "ctypes", "readline"):
    try: importlib.import_module(name)
    except ImportError: continue
    print(name)
"""
    had = said_by(source.executable, "-I", "-c", code, cwd=prefix).split()

    assert said_by(prefix / "bin" / "python3", "-I", "-c", code, cwd=prefix).split() == had


def test_no_text_names_the_old_prefix(prefix: Path) -> None:
    source = interpreters.find(PYTHON, env=ENV)
    assert source is not None
    # A distribution's text files name programs of /usr as well (/usr/bin/install).
    places = [source.prefix] if source.own_prefix else [source.stdlib, source.include]
    old = re.compile(rb"(?<![\w.])(?:%s)" % b"|".join(re.escape(str(place).encode()) for place in places))
    looked = [
        *(prefix / "bin").iterdir(),
        *prefix.glob("lib/python*/_sysconfig*"),
        *prefix.glob("lib/pkgconfig/*"),
    ]
    for file in [*looked, *prefix.glob("lib/python*/config-*/*")]:
        text = file.read_bytes()
        if b"\0" not in text:
            assert not old.search(text), file
            assert b"_placehold_" not in text, file


def test_scripts_start_and_projects_are_seen(prefix: Path) -> None:
    assert said_by(prefix / "bin" / "pytest", "--version", cwd=prefix).startswith("pytest")
    listed = json.loads(said_by(prefix / "bin" / "pip", "list", "--format", "json", cwd=prefix))
    assert {"numpy", "pip", "pytest"} <= {each["name"] for each in listed}


def test_boost_python_names_only_what_it_uses(prefix: Path, shared: tuple[LocalChannel, Store]) -> None:
    from diptych.channel import elf  # noqa: PLC0415 -- only this test looks into a binary

    library = next(prefix.glob("lib/libboost_python3*.so.*"))
    record = next(each for each in shared[0].packages if each.file.name == "libboost-python")

    assert not [name for name in elf.needed(library) if name.startswith("libboost_")]
    assert library.name in dict(record.origin["dropped NEEDED"])


def test_boost_python_bounds_python_and_numpy_as_conda_forge_does(shared: tuple[LocalChannel, Store]) -> None:
    index = json.loads((shared[0].root / "linux-64" / "repodata.json").read_text(encoding="utf-8"))
    (record,) = (
        one
        for one in index["packages.conda"].values()
        if one["name"] == "libboost-python" and PYTHON in str(one["depends"])
    )
    minor = int(PYTHON.partition(".")[2])
    wanted = {f"python >={PYTHON},<3.{minor + 1}.0a0", f"python_abi {PYTHON}.* *_cp{PYTHON.replace('.', '')}"}
    assert wanted <= set(record["depends"])
    (numpy,) = (one for one in record["depends"] if one.startswith("numpy "))
    assert numpy.endswith(",<3")


def test_tiny_boost_python_project(prefix: Path, tmp_path: Path) -> None:
    numbers = PYTHON.replace(".", "")
    (tmp_path / "CMakeLists.txt").write_text(f"""
cmake_minimum_required(VERSION 3.20)
project(tiny CXX)
find_package(Python {PYTHON} EXACT REQUIRED COMPONENTS Interpreter Development.Module NumPy)
find_package(Boost CONFIG REQUIRED COMPONENTS python{numbers} numpy{numbers})
find_package(Eigen3 CONFIG REQUIRED)
Python_add_library(tiny MODULE tiny.cpp WITH_SOABI)
target_link_libraries(tiny PRIVATE Boost::python{numbers} Boost::numpy{numbers} Eigen3::Eigen)
""")
    (tmp_path / "tiny.cpp").write_text("""
#include <boost/python.hpp>
#include <boost/python/numpy.hpp>
#include <Eigen/Core>
double sum() { return Eigen::Vector3d(1, 2, 3).sum(); }
BOOST_PYTHON_MODULE(tiny) { boost::python::numpy::initialize(); boost::python::def("sum", sum); }
""")
    cmake = shutil.which("cmake", path=f"{Path(sys.executable).parent}:{ENV['PATH']}")
    assert cmake
    build = tmp_path / "build"
    places = [
        f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DPython_ROOT_DIR={prefix}",
        "-DPython_FIND_STRATEGY=LOCATION",
    ]
    ninja = [
        "-G",
        "Ninja",
        f"-DCMAKE_MAKE_PROGRAM={Path(cmake).with_name('ninja')}",
    ]  # a bare machine has no make
    said_by(cmake, "-S", tmp_path, "-B", build, *ninja, *places, cwd=tmp_path)
    said_by(cmake, "--build", build, cwd=tmp_path)

    assert said_by(prefix / "bin" / "python", "-c", "import tiny; print(tiny.sum())", cwd=build) == "6.0\n"


RECIPE = """
package: {{name: tiny, version: 1.0.0}}
build:
  script: mkdir -p $PREFIX/share/tiny && $PREFIX/bin/python -c "import numpy" > $PREFIX/share/tiny/said
requirements:
  host: [python {python}.*, numpy, libboost-python-devel]
  run: [python]
"""


BUILD = """
import sys, rattler_build as rb
for variant in rb.Stage0Recipe.from_file("recipe.yaml").render(rb.VariantConfig()):
    variant.run_build(channels=[sys.argv[1]], output_dir="out")
"""


def test_recipe_gets_run_dependencies_over_http(shared: tuple[LocalChannel, Store], tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE.format(python=PYTHON))
    with channel.serve(shared[0].root) as url:
        # A process of its own: see diptych.channel.serve.
        said_by(sys.executable, "-c", BUILD, url, cwd=tmp_path)
        install(url, tmp_path / "env", [f"python {PYTHON}.*", *HOST], tmp_path / "cache")
    depends = rattler_build.Package.from_file(next(tmp_path.glob("out/*/tiny*.conda"))).depends

    assert any(each.startswith("libboost-python >=") for each in depends)
    assert any(each.startswith("numpy >=") for each in depends)
    assert f"python_abi {PYTHON}.* *_cp{PYTHON.replace('.', '')}" in depends
    assert (tmp_path / "env" / "bin" / "python").exists()


def test_deleted_and_damaged_packages_are_made_again(shared: tuple[LocalChannel, Store]) -> None:
    files = {
        each.file.name: shared[0].root / each.file.subdir / each.file.filename for each in shared[0].packages
    }
    files["pluggy"].unlink()
    files["iniconfig"].write_bytes(files["iniconfig"].read_bytes()[:-10])
    said: list[str] = []
    found = again(shared, SPECS, said)

    assert {each.file.name for each in found.packages if each.made} == {"iniconfig", "pluggy"}
    assert [each.file for each in found.packages] == [each.file for each in shared[0].packages]
    assert all(row.whole for row in channel.listing(shared[0].root))


def test_smaller_request_needs_less(shared: tuple[LocalChannel, Store]) -> None:
    found = again(shared, ["numpy >=1.20"], [])

    always = ["libgcc", "libstdcxx", "numpy", "python", "python_abi"]
    assert [each.file.name for each in found.packages] == always


@needs_linux("GCC's runtime")
def test_the_compilers_runtime_is_in_the_environment(prefix: Path) -> None:
    """Laid out as conda-forge's, with licence; what needs it says so, and finds this one."""
    for library in ("libstdc++.so.6", "libgcc_s.so.1"):
        assert read_file((prefix / "lib" / library).resolve())[0].soname == library
        assert (prefix / "lib" / library).with_suffix("").exists()  # the plain .so name
    records = {
        record["name"]: record
        for path in (prefix / "conda-meta").glob("*.json")
        if (record := json.loads(path.read_text(encoding="utf-8")))
    }
    runtime = records["libstdcxx"]
    assert runtime["license"] == "GPL-3.0-only WITH GCC-exception-3.1"
    assert f"libgcc =={runtime['version']}" in runtime["depends"]
    for name in ("libboost", "libboost-python", "numpy"):
        wanted = [spec for spec in records[name]["depends"] if spec.startswith("libstdcxx >=")]
        assert len(wanted) == 1, name
    module = next((prefix / "lib").glob("libboost_python*.so.*"))
    loaded = said_by("/usr/bin/env", "-i", "ldd", str(module), cwd=prefix)
    assert f"libstdc++.so.6 => {module.parent}" in loaded


def test_what_pypi_lacks_is_named(shared: tuple[LocalChannel, Store]) -> None:
    with pytest.raises(ChannelError, match='cannot make "no-such-project-of-diptych"') as raised:
        again(shared, ["no-such-project-of-diptych"], [])

    assert "conda-forge" in raised.value.hint
    assert "diptych channel --add" in raised.value.hint
    assert raised.value.details[0] == (
        "tried: the project no-such-project-of-diptych of PyPI, for the package no-such-project-of-diptych"
    )


def test_missing_python_is_named(shared: tuple[LocalChannel, Store]) -> None:
    made, store = shared
    with pytest.raises(MissingToolError, match=r"no Python 3\.2"):
        channel.ensure([], python="3.2", root=made.root, store=store, env=ENV, say=print)


def test_wrong_hash_ends_in_one_error(shared: tuple[LocalChannel, Store], tmp_path: Path) -> None:
    made, store = shared
    interpreter = interpreters.find(PYTHON, env=ENV, store=store)
    assert interpreter is not None
    right = json.loads(pypi.lock_path(made.root, interpreter).read_text())["wheels"]["iniconfig"]
    wrong = pypi.ResolvedWheel(**{**right, "requires": (), "sha256": "0" * 64})

    with pytest.raises(ChannelError, match="hash differs"):
        pypi.fetch([wrong], interpreter, store=Store(root=tmp_path), scratch=tmp_path, env=ENV)


def test_listing_and_adding(shared: tuple[LocalChannel, Store], tmp_path: Path) -> None:
    made, store = shared
    python = next(row for row in channel.listing(made.root) if row.name == "python")
    assert python.whole
    assert python.version in python.origin

    packages = {each.file.name: each for each in made.packages}
    conda = made.root / packages["pluggy"].file.subdir / packages["pluggy"].file.filename
    wheel = next(store.root.glob("wheels/*/iniconfig-*.whl"))
    root = tmp_path / "other"
    for path in (conda, wheel):
        channel.add(path, root=root, store=store, env=ENV, say=print, python=PYTHON)

    assert [row.name for row in channel.listing(root)] == ["iniconfig", "pluggy"]
    with pytest.raises(ChannelError, match="neither a wheel"):
        channel.add(tmp_path / "x.zip", root=root, store=store, env=ENV, say=print)


def test_rebuild_gives_the_same_packages(shared: tuple[LocalChannel, Store], tmp_path: Path) -> None:
    _, store = shared
    root = tmp_path / "channel"
    first = channel.ensure(["pluggy", "numpy"], python=PYTHON, root=root, store=store, env=ENV, say=print)
    (second,) = channel.rebuild(root=root, store=store, env=ENV, say=print)

    assert all(each.made for each in second.packages)
    assert [each.file for each in second.packages] == [each.file for each in first.packages]


def test_two_runs_at_once(shared: tuple[LocalChannel, Store], tmp_path: Path) -> None:
    code = f"""
import os, pathlib
from diptych import channel
from diptych.store import Store
made = channel.ensure(["pluggy"], python={PYTHON!r}, root=pathlib.Path("channel"), env=dict(os.environ),
                      store=Store(root=pathlib.Path({str(shared[1].root)!r})), say=lambda _: None)
print(sorted(each.file.filename for each in made.packages), sum(each.made for each in made.packages))
"""
    folder = Path(channel.__file__).parents[2]
    command = [sys.executable, "-c", code]
    runs = [
        subprocess.Popen(
            command, cwd=tmp_path, env={**ENV, "PYTHONPATH": str(folder)}, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = sorted(run.communicate()[0].strip() for run in runs)

    assert said[0].split("]")[0] == said[1].split("]")[0]
    assert [line.split()[-1] for line in said] == ["0", "5" if sys.platform == "linux" else "3"]
