"""Every library and tool that a run goes through, made to fail for real: what a person gets is an error of ours.

Build backends are in test_backend.py, CMake, compilers and nox in test_cell_faults.py.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from diptych import environments, process
from diptych.build.pip import install, lock, make_venv
from diptych.channel import requests
from diptych.errors import DiptychError
from diptych.reproduce.differences import differences_of
from helpers.archive_makers import make_wheel, wheel_files

Env = dict[str, str]
ABSENT = "no-such-project-of-anybody"


def own(env: Env) -> Env:
    return {**env, "PATH": f"{process.own_tools()}:{env['PATH']}"}


def of_venv(folder: Path, env: Env) -> None:
    make_venv(Path("/bin/false"), folder / "venv", env=env, log=folder / "log")


def of_installing(folder: Path, env: Env) -> None:
    python = make_venv(Path(sys.executable), folder / "venv", env=env, log=folder / "log")
    install(python, [ABSENT], env=env, log=folder / "log")


def of_locking(folder: Path, env: Env) -> None:
    python = make_venv(Path(sys.executable), folder / "venv", env=env, log=folder / "log")
    lock(python, [f"{ABSENT}>=1"], folder / "lock.txt", env=env, log=folder / "log")


def solved(folder: Path, env: Env, repodata: str) -> None:
    for subdir in ("linux-64", "noarch"):
        (folder / "channel" / subdir).mkdir(parents=True)
        (folder / "channel" / subdir / "repodata.json").write_text(repodata, encoding="utf-8")
    request = environments.HostRequest(
        python="3.11", specs=(ABSENT,), channels=((folder / "channel").as_uri(),)
    )
    environments.create(request, folder / "prefix", env=env)


def of_solving(folder: Path, env: Env) -> None:
    solved(folder, env, '{"info": {}, "packages": {}, "packages.conda": {}, "repodata_version": 1}')


def of_a_damaged_channel(folder: Path, env: Env) -> None:
    solved(folder, env, '{"packages": [')


def of_a_specification(_folder: Path, _env: Env) -> None:
    requests.parse(["[[["], added={})


def of_a_nameless_specification(_folder: Path, _env: Env) -> None:
    requests.parse(["*"], added={})


def of_auditwheel(folder: Path, env: Env) -> None:
    wheel = make_wheel(folder, wheel_files({"pair/_core.so": b"\x7fELF" + bytes(60)}))
    process.run(["auditwheel", "repair", "-w", folder, wheel], env=own(env), cwd=folder)


def of_delocate(folder: Path, env: Env) -> None:
    (folder / "pair-1.2-cp311-cp311-macosx_11_0_arm64.whl").write_bytes(b"no zip")
    words: list[str | Path] = ["delocate-wheel", "-v", next(folder.glob("*.whl"))]
    process.run(words, env=own(env), cwd=folder)


def of_rattler_build(folder: Path, env: Env) -> None:
    (folder / "recipe.yaml").write_text("package: [1, 2]\n", encoding="utf-8")
    order = folder / "order.json"
    order.write_text(
        f'{{"recipe": "{folder}/recipe.yaml", "variant": {{}}, "platform": "linux-64", "output": "{folder}/out", '
        f'"channels": [], "made": "{folder}/made.json"}}',
        encoding="utf-8",
    )
    process.run([sys.executable, "-m", "diptych.packages.rattler", order], env=env, cwd=folder)


def of_zstandard(folder: Path, _env: Env) -> None:
    for name, content in (("a", b"not zstd"), ("b", b"neither")):
        with zipfile.ZipFile(folder / f"{name}-1-0.conda", "w") as archive:
            archive.writestr("metadata.json", '{"conda_pkg_format_version": 2}')
            archive.writestr(f"pkg-{name}-1-0.tar.zst", content)
            archive.writestr(f"info-{name}-1-0.tar.zst", content)
    differences_of(folder / "a-1-0.conda", folder / "b-1-0.conda")


@pytest.mark.parametrize(
    "failing",
    [
        of_venv, of_installing, of_locking, of_solving, of_a_damaged_channel, of_a_specification,
        of_a_nameless_specification, of_auditwheel, of_delocate, of_rattler_build, of_zstandard,
    ],
    ids=lambda one: one.__name__,
)  # fmt: skip
def test_what_a_library_raises_becomes_an_error_of_ours(
    failing: Callable[[Path, Env], None], tmp_path: Path, env: Env
) -> None:
    with pytest.raises(DiptychError) as caught:
        failing(tmp_path, env)
    told = "\n".join([caught.value.summary, *caught.value.details])
    assert "Traceback" not in told
    assert len(told) > 20


@pytest.mark.parametrize(
    "words", [("doctor", "--no-such-flag"), ("no-such-task",), ("explain", "--help", "--help")]
)
def test_invoke_refuses_words_without_a_traceback(words: tuple[str, ...], tmp_path: Path, env: Env) -> None:
    done = process.run(["diptych", *words], env=own(env), cwd=tmp_path, check=False)
    assert "Traceback" not in done.output
    assert done.output.strip()
