"""The Python that a distribution brings, packed as conda-forge's: where it looks, what it loads, what pip does with it."""

from __future__ import annotations

import json
import os
import subprocess  # noqa: TID251 -- the packed Python is run as a user would
from pathlib import Path

import pytest

from diptych import channel, environments, interpreters
from diptych.store import Store
from helpers.archive_makers import make_wheel, wheel_files
from helpers.needs import lacking

ENV = dict(os.environ)  # noqa: TID251 -- tests are a surface
# glibc with its data, and the compiler's runtime: every process of the machine has them.
OF_THE_MACHINE = (
    *(f"lib{name}.so*" for name in ("c", "m", "dl", "rt", "pthread", "util", "resolv", "gcc_s", "stdc++")),
    "ld-linux*.so*",
    "locale/*/LC_*",
    "locale/*/LC_MESSAGES/SYS_LC_MESSAGES",
    "locale-archive",
    "gconv-modules.cache",
    "gconv/*.so",
)


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> tuple[interpreters.Interpreter, Path]:
    """The Python that this machine's distribution brings, packed, and an environment with it."""
    root = tmp_path_factory.mktemp("distribution")
    env = {**ENV, "PATH": "/usr/bin:/bin", "HOME": str(root), "PYENV_ROOT": str(root)}
    env.pop("UV_PYTHON_INSTALL_DIR", None)
    found = [
        each for each in interpreters.find_all(env=env) if each.prefix == Path("/usr") and each.has_headers
    ]
    if not found:
        lacking("a Python of the distribution with its headers", package="python3-dev")
    store = Store(root=root / "s")
    made = channel.ensure(["pip"], python=found[0].version, root=root / "c", store=store, env=env, say=print)
    prefix = root / "environment"
    request = environments.HostRequest(channels=(made.url,), specs=("pip",), python=found[0].minor)
    environments.create(request, prefix, env=env)
    return found[0], prefix


def answers(prefix: Path, code: str) -> str:
    done = subprocess.run(
        [prefix / "bin" / "python", "-I", "-c", code],
        env={"HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_distribution_s_python_has_conda_s_places(
    distribution: tuple[interpreters.Interpreter, Path],
) -> None:
    python, prefix = distribution
    code = "import sysconfig, sys, site, json; print(json.dumps([sys.prefix, sysconfig.get_paths(), site.getsitepackages(), sys.path, sysconfig.get_config_vars()['INCLUDEPY']]))"
    own, paths, sites, searched, include = json.loads(answers(prefix, code))
    place = f"{prefix}/lib/python{python.minor}"
    assert own == str(prefix)
    assert paths["purelib"] == paths["platlib"] == f"{place}/site-packages"
    assert paths["include"] == include == f"{prefix}/include/python{python.minor}"
    assert Path(include, "Python.h").is_file()
    # Debian's dispatcher only includes the file of the machine's folder.
    assert "#define SIZEOF_LONG " in Path(include, "pyconfig.h").read_text()
    assert sites == [f"{place}/site-packages"]
    assert all(Path(one).is_relative_to(prefix) for one in searched), searched


def test_a_distribution_s_python_reads_nothing_of_the_machine_s(
    distribution: tuple[interpreters.Interpreter, Path],
) -> None:
    """All modules of the standard library are loaded; then the process's map and its modules name no place of /usr's Python."""
    _, prefix = distribution
    code = (
        "import sys, importlib, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "for name in sorted(sys.stdlib_module_names - {'antigravity', 'this', 'idlelib', 'turtledemo', '_tkinter', 'tkinter', 'turtle'}):\n"
        "    try: importlib.import_module(name)\n"
        "    except ImportError: pass\n"
        "files = {getattr(each, '__file__', None) or '' for each in list(sys.modules.values())}\n"
        "files |= {line.split()[-1] for line in open('/proc/self/maps') if '/' in line}\n"
        "print('\\n'.join(sorted(files)))"
    )
    loaded = [Path(line) for line in answers(prefix, code).splitlines() if line.startswith("/")]
    outside = [path for path in loaded if not path.is_relative_to(prefix)]
    assert len(loaded) > 200
    strangers = [path for path in outside if not any(path.match(glob) for glob in OF_THE_MACHINE)]
    assert strangers == []


def test_pip_installs_into_a_distribution_s_python(
    distribution: tuple[interpreters.Interpreter, Path], tmp_path: Path
) -> None:
    _, prefix = distribution
    files = wheel_files({"pair/__init__.py": b"ANSWER = 42"})
    wheel = make_wheel(tmp_path, files, name="pair-1.2-py3-none-any.whl")
    subprocess.run(
        [prefix / "bin" / "python", "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        check=True,
    )
    assert answers(prefix, "import pair; print(pair.__file__)").startswith(str(prefix / "lib"))


def test_a_virtual_environment_of_it_reads_its_pth_files_as_often_as_any(
    distribution: tuple[interpreters.Interpreter, Path], tmp_path: Path
) -> None:
    """The site module reads them twice there, in any Python; the correction adds no third time, and no folder twice."""
    python, prefix = distribution
    found = []
    for name, base in (("packed", prefix / "bin" / "python"), ("own", python.executable)):
        venv = tmp_path / name
        words: list[str | Path] = [base, "-m", "venv", "--without-pip", venv]
        subprocess.run(words, env={"HOME": "/nowhere"}, check=True)
        site_packages = venv / "lib" / f"python{python.minor}" / "site-packages"
        (site_packages / "count.pth").write_text("import sys; sys.times = getattr(sys, 'times', 0) + 1\n")
        times, path = json.loads(answers(venv, "import json, sys; print(json.dumps([sys.times, sys.path]))"))
        found.append((times, path.count(str(site_packages)), any("dist-packages" in one for one in path)))
    assert found[0] == found[1]
    assert found[0][1:] == (1, False)
