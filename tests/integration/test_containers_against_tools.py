"""What pip and conda's installer really do with the crafted containers: the truth that the rules' severities stand on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import rattler
from rattler.index import index_fs

from diptych.errors import MissingToolError
from diptych.process import run
from helpers.container_cases import CONDAS, PREFIX, WHEELS, CondaCase

PIP = """
import sys
from pip._internal.cli.main import main
for name, wheels, target in (line.split("\\t") for line in open("orders").read().splitlines()):
    code = main(["install", "--quiet", "--no-deps", "--no-index", "--find-links", wheels, "--target", target, name])
    print(f"\\n{code} {target}")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], bool]:
    """Offer every wheel to pip under the name and version of its file, all in one process of pip."""
    folder = tmp_path_factory.mktemp("wheels")
    orders, targets = [], {}
    for name, pair in WHEELS.items():
        for side in ("bad", "good"):
            path = getattr(pair, side).write(folder / name / side)
            target = folder / name / f"{side}-site"
            targets[name, side] = target
            orders.append(f"{path.name.split('-')[0]}==1.2\t{path.parent}\t{target}")
    (folder / "orders").write_text("\n".join(orders))
    command = [sys.executable, "-W", "ignore", "-c", PIP]
    done = run(command, env={"PATH": "/usr/bin:/bin"}, cwd=folder, check=False)
    lines = done.output.splitlines()
    return {key: f"0 {target}" in lines for key, target in targets.items()}


async def _install(channel: Path, prefix: Path) -> None:
    await index_fs(channel)
    url = rattler.Channel(channel.as_uri())
    records = await rattler.solve(
        sources=[url],
        specs=["pair"],
        platforms=["linux-64", "noarch"],
        virtual_packages=[
            rattler.GenericVirtualPackage(
                rattler.PackageName("__glibc"), rattler.Version("2.36"), rattler.BuildString("0")
            )
        ],
    )
    await rattler.install(
        records, prefix, cache_dir=prefix.parent / "cache", show_progress=False, execute_link_scripts=False
    )


def rattler_installs(case: CondaCase, folder: Path) -> str:
    """Install the one package of a channel; return the error's text, empty when all went well."""
    subdir = str(case.index.get("subdir", "linux-64"))
    case.write(folder / "channel" / subdir)
    (folder / "channel" / "noarch").mkdir(exist_ok=True)
    try:
        asyncio.run(_install(folder / "channel", folder / "prefix"))
    except Exception as error:  # noqa: BLE001 -- whatever rattler says
        return str(error) or type(error).__name__
    return ""


@pytest.mark.parametrize("name", WHEELS)
def test_pip_refuses_what_is_an_error_for_it(name: str, installed: Mapping[tuple[str, str], bool]) -> None:
    assert installed[name, "bad"] is not WHEELS[name].refused
    assert installed[name, "good"]


@pytest.mark.parametrize("name", [name for name, pair in CONDAS.items() if pair.refused])
def test_rattler_refuses(name: str, tmp_path: Path) -> None:
    case = CONDAS[name].bad
    assert isinstance(case, CondaCase)
    assert rattler_installs(case, tmp_path)


def alone(name: str) -> bool:
    """Tell whether the twin needs no package: the channel has no other."""
    twin = CONDAS[name].good
    assert isinstance(twin, CondaCase)
    return not twin.index.get("noarch") and twin.index.get("depends", []) in ([], ["__glibc >=2.17"])


@pytest.mark.parametrize("name", [name for name in CONDAS if alone(name)])
def test_rattler_installs_the_twin(name: str, tmp_path: Path) -> None:
    case = CONDAS[name].good
    assert isinstance(case, CondaCase)
    assert rattler_installs(case, tmp_path) == ""


def test_what_the_installer_does_to_prefixes(tmp_path: Path) -> None:
    """A registered prefix is replaced, an unregistered one stays, and a binary registered as text is broken."""
    seen = {}
    for name in ("binary as text", "prefix not registered"):
        for side in ("bad", "good"):
            case = getattr(CONDAS[name], side)
            folder = tmp_path / f"{name}-{side}"
            assert rattler_installs(case, folder) == ""
            data = (folder / "prefix" / "lib" / "libpair.so.1").read_bytes()
            seen[name, side] = (len(data) == len(case.files["lib/libpair.so.1"]), PREFIX.encode() in data)
    assert seen == {
        ("binary as text", "bad"): (False, False),
        ("binary as text", "good"): (True, False),
        ("prefix not registered", "bad"): (True, True),
        ("prefix not registered", "good"): (True, False),
    }


def test_an_unregistered_interpreter_does_not_start(tmp_path: Path) -> None:
    case = CONDAS["interpreter not registered"].bad
    assert isinstance(case, CondaCase)
    assert rattler_installs(case, tmp_path) == ""
    script = tmp_path / "prefix" / "bin" / "pair"
    script.chmod(0o755)
    with pytest.raises(MissingToolError, match="cannot be run"):
        run([script], env={"PATH": "/usr/bin:/bin"}, cwd=tmp_path)
