"""A project without a recipe: its package says and holds what conda-forge's would, and rattler-build runs its tests."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from diptych import process
from diptych.archives import open_package, unpack
from diptych.channel.conda_file import write
from diptych.channel.package import Package, PackageFile
from diptych.packages.channel_folder import index_folder
from diptych.packages.neutral import Neutral
from diptych.packages.repack import RepackJob, pack, repack
from diptych.zstd import zstd
from helpers.checkout import HERE, Checkout, clear
from helpers.conda_install import LONG, SHORT, files_of, install, said_by
from helpers.real_conda import Conda, real_conda
from helpers.servers import web_server
from helpers.tiny import FILES, lay_out_tiny

RUN_TESTS = """
import sys
from rattler_build.package import Package
package = Package.from_file(sys.argv[1])
for place in range(package.test_count):
    result = package.run_test(place, channel=[sys.argv[2]])
    print(*result.output, sep="\\n")
    if not result.success:
        sys.exit(1)
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, repository: Path, session_env: dict[str, str]) -> Checkout:
    root = tmp_path_factory.mktemp("tiny")
    lay_out_tiny(root, repository)
    project = root / "project"
    (project / "LICENSE").write_text("MIT License\n")
    (project / "pyproject.toml").write_text(
        FILES["pyproject.toml"]
        + 'license-files = ["LICENSE"]\n[project.scripts]\ntiny-answer = "tiny:main"\n'
        '[project.urls]\nHomepage = "https://tiny.example"\n[tool.scikit-build]\nwheel.packages = []\n'
    )
    (project / "python" / "tiny" / "__init__.py").write_text(
        "from tiny._core import answer\n\n\ndef main():\n    print(answer())\n"
    )
    with (project / "CMakeLists.txt").open("a") as file:
        file.write(
            'file(WRITE "${CMAKE_BINARY_DIR}/home.txt" "${Python_SITELIB}\\n")\n'
            'install(FILES "${CMAKE_BINARY_DIR}/home.txt" DESTINATION tiny)\n'
        )
    checkout = Checkout(root=root, env=session_env)
    done = checkout.build()
    assert done.returncode == 0, done.output
    assert "names the prefix of the build" in done.output  # the text, in the wheel
    return checkout


def test_metadata_and_files(tiny: Checkout) -> None:
    with open_package(tiny.packages[1]) as package:
        names = {member.name for member in package.members}
        index, about = package.metadata.index, json.loads(package.read("info/about.json"))
        installer = package.read(f"lib/python{HERE}/site-packages/tiny-1.0.dist-info/INSTALLER")
    assert index["build"].startswith(f"py{HERE.replace('.', '')}h")
    depends = [spec.split()[0] for spec in index["depends"]]
    assert len(set(depends)) == len(depends)
    assert set(depends) == {"python", "python_abi"}  # of C and C++ libraries nothing is used
    assert about["license"] == "MIT"
    assert about["home"] == "https://tiny.example/"
    assert installer == b"conda\n"
    assert f"lib/python{HERE}/site-packages/tiny-1.0.dist-info/RECORD" not in names
    assert {"info/licenses/LICENSE", "bin/tiny-answer"} <= names


def test_rattler_build_runs_the_projects_own_tests(tiny: Checkout, tmp_path: Path) -> None:
    # rattler-build (0.73) looks a package up in its cache by name alone: an older one must not be found there.
    env = {**tiny.env, "RATTLER_CACHE_DIR": str(tmp_path)}
    channel = (tiny.root / ".diptych" / "channel").as_uri()
    said = process.run(
        [sys.executable, "-c", RUN_TESTS, tiny.packages[1], channel], env=env, cwd=tmp_path, check=False
    )
    assert said.returncode == 0, said.output
    assert "1 passed" in said.output
    assert "No broken requirements found" in said.output


EPOCH = 1_700_000_000


@pytest.fixture(scope="module")
def channels(tiny: Checkout) -> list[str]:
    """dist/conda with two versions, and what the cell's host environment came from."""
    pyproject = tiny.root / "project" / "pyproject.toml"
    if 'version = "1.0"' in pyproject.read_text():
        tiny.edit("project/pyproject.toml", 'version = "1.0"', 'version = "1.1"')
        done = tiny.build()
        assert done.returncode == 0, done.output
    return [(tiny.root / "dist" / "conda").as_uri(), (tiny.root / ".diptych" / "channel").as_uri()]


@pytest.mark.parametrize("name", [SHORT, LONG], ids=["short", "long"])
def test_install_update_and_remove(channels: list[str], tmp_path: Path, name: str) -> None:
    prefix, cache, python = tmp_path / name, tmp_path / "cache", f"python {HERE}.*"
    install(prefix, [python], channels, cache)
    before = files_of(prefix)
    for version in ("1.0", "1.1"):
        install(prefix, [python, f"tiny =={version}"], channels, cache)
        assert said_by(prefix / "bin" / "tiny-answer") == "42"
        code = "import importlib.metadata as m; print(m.version('tiny'), len([d for d in m.distributions() if d.name == 'tiny']))"
        assert said_by(prefix / "bin" / "python", "-B", "-c", code) == f"{version} 1"
        script = (prefix / "bin" / "tiny-answer").read_text()
        assert str(prefix) in script
        assert "placehold" not in script
        site = prefix / "lib" / f"python{HERE}" / "site-packages"
        assert (site / "tiny" / "home.txt").read_text() == f"{site}\n"
    install(prefix, [python], channels, cache)
    assert files_of(prefix) == before


@pytest.mark.parametrize("name", [SHORT, LONG], ids=["short", "long"])
def test_a_path_in_a_binary_becomes_that_of_the_environment(
    tiny: Checkout, channels: list[str], tmp_path: Path, name: str
) -> None:
    """A program that has its prefix compiled in, at the length that conda's tools pad it to."""
    padded = Path("/build/" + "host_env_placehold_" * 12)
    binary = b"\x7fELF\0%b/share/tiny\0after\0" % str(padded).encode()
    made = next((tiny.root / "dist" / "conda" / "linux-64").glob("tiny-1.1-*.conda"))
    root, channel = tmp_path / "unpacked", tmp_path / "channel"
    with open_package(made) as package:
        unpack(package, root)
    (root / "lib" / "tiny.bin").write_bytes(binary)
    listing = json.loads((root / "info" / "paths.json").read_text())
    listing["paths"].append({"_path": "lib/tiny.bin", "path_type": "hardlink"})
    (root / "info" / "paths.json").write_text(json.dumps(listing))
    target = channel / "linux-64" / made.name
    (channel / "noarch").mkdir(parents=True)
    target.parent.mkdir()
    pack(root, target, epoch=EPOCH)
    job = RepackJob(
        neutral=Neutral(names={}, epoch=EPOCH),
        python=Path(sys.executable),
        tag="cpython-00",
        env=tiny.env,
        log=tmp_path / "log",
        prefixes=(padded,),
    )
    repack(target, job)
    index_folder(channel)
    prefix = tmp_path / name
    install(prefix, [f"python {HERE}.*", "tiny ==1.1"], [channel.as_uri(), channels[1]], tmp_path / "cache")
    filled = (prefix / "lib" / "tiny.bin").read_bytes()
    assert len(filled) == len(binary)
    assert filled.startswith(b"\x7fELF\0%b/share/tiny\0" % str(prefix).encode())
    assert filled.endswith(b"\0after\0")


INIT = f"lib/python{HERE}/site-packages/tiny/__init__.py"


def clobbering(root: Path) -> str:
    """Write a channel with a package that has a file of ours; return its URL."""
    other = Package(
        name="zz-other", version="1", build="h{hash}_0", subdir="linux-64", origin={"kind": "test"},
        files=[PackageFile(path=INIT, read=lambda: b"other = True\n")],
    )  # fmt: skip
    write(other, root)
    (root / "noarch").mkdir()
    index_folder(root)
    return root.as_uri()


def test_a_file_of_another_package_is_not_overwritten(channels: list[str], tmp_path: Path) -> None:
    """Two packages with one file: what came first stays, also when the other one goes."""
    prefix, cache, both = tmp_path / "e", tmp_path / "cache", [clobbering(tmp_path / "other"), *channels]
    python = f"python {HERE}.*"
    install(prefix, [python, "tiny ==1.1"], both, cache)
    ours = (prefix / INIT).read_bytes()
    install(prefix, [python, "tiny ==1.1", "zz-other"], both, cache)
    assert (prefix / INIT).read_bytes() == ours
    install(prefix, [python, "tiny ==1.1"], both, cache)
    assert (prefix / INIT).read_bytes() == ours


@pytest.fixture(scope="module")
def conda(tiny: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Conda:
    return real_conda(tmp_path_factory.mktemp("conda"), tiny.env)


def urls(channels: list[str]) -> list[str]:
    return ["--override-channels", *(word for url in channels for word in ("-c", url))]


@pytest.mark.parametrize("name", [SHORT, LONG], ids=["short", "long"])
def test_conda_itself_creates_updates_lists_and_removes(
    conda: Conda, channels: list[str], tmp_path: Path, name: str
) -> None:
    prefix = tmp_path / name
    told: list[str | Path] = ["-q", "-y", "-p", prefix, *urls(channels)]
    done = conda("create", *told, f"python={HERE}")
    assert done.returncode == 0, done.output
    before = files_of(prefix)
    for command, spec, version in (("install", "tiny=1.0", "1.0"), ("update", "tiny", "1.1")):
        done = conda(command, *told, spec)
        assert done.returncode == 0, done.output
        assert said_by(prefix / "bin" / "tiny-answer") == "42"
        code = "import importlib.metadata as m; print(m.version('tiny'))"
        assert said_by(prefix / "bin" / "python", "-B", "-c", code) == version
        site = prefix / "lib" / f"python{HERE}" / "site-packages"
        assert (site / "tiny" / "home.txt").read_text() == f"{site}\n"
        listed = json.loads(conda("list", "--json", "-p", prefix, "tiny").output)
        assert [one["version"] for one in listed] == [version]
    found = json.loads(conda("search", "--json", *urls(channels), "tiny").output)
    assert [one["version"] for one in found["tiny"]] == ["1.0", "1.1"]
    done = conda("remove", *told, "tiny")
    assert done.returncode == 0, done.output
    assert files_of(prefix) == before


def test_conda_itself_refuses_two_packages_with_one_file(
    conda: Conda, channels: list[str], tmp_path: Path
) -> None:
    other = clobbering(tmp_path / "other")
    told: list[str | Path] = ["-q", "-y", "-p", tmp_path / "e", *urls([other, *channels])]
    done = conda("create", *told, f"python={HERE}", "tiny", "zz-other", CONDA_PATH_CONFLICT="prevent")
    assert done.returncode != 0
    assert "ClobberError" in done.output


def test_the_channel_says_all_that_clients_ask_for(tiny: Checkout, channels: list[str]) -> None:
    """The fields of CEP 36's repodata records; CEP 12's run exports; conda-index's overview."""
    assert channels
    folder = tiny.root / "dist" / "conda"
    for subdir in ("linux-64", "noarch"):
        for name in ("repodata.json", "run_exports.json"):
            plain = (folder / subdir / name).read_bytes()
            assert zstd.ZstdDecompressor().decompress((folder / subdir / f"{name}.zst").read_bytes()) == plain
    entries = json.loads((folder / "linux-64" / "repodata.json").read_text())["packages.conda"]
    assert {entry["version"] for entry in entries.values()} == {"1.0", "1.1"}
    for filename, entry in entries.items():
        content = (folder / "linux-64" / filename).read_bytes()
        assert entry["size"] == len(content)
        assert entry["md5"] == hashlib.md5(content).hexdigest()  # noqa: S324 -- a field of the format
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert (entry["subdir"], entry["arch"], entry["platform"]) == ("linux-64", "x86_64", "linux")
        assert (entry["license"], entry["license_family"]) == ("MIT", "MIT")
        assert {"name", "version", "build", "build_number", "depends", "timestamp"} <= entry.keys()
        assert filename == f"{entry['name']}-{entry['version']}-{entry['build']}.conda"
    exports = json.loads((folder / "linux-64" / "run_exports.json").read_text())
    assert exports["info"] == {"subdir": "linux-64", "version": 1}
    assert exports["packages.conda"] == {filename: {"run_exports": {}} for filename in entries}
    overview = json.loads((folder / "channeldata.json").read_text())
    assert overview["subdirs"] == ["linux-64", "noarch"]
    assert overview["packages"]["tiny"]["summary"] == "One number"
    assert overview["packages"]["tiny"]["text_prefix"] is True
    # In seconds, where repodata has milliseconds (conda-index 0.13).
    newest = max(entry["timestamp"] for entry in entries.values())
    assert overview["packages"]["tiny"]["timestamp"] == newest // 1000
    # The local channel's packages do export something.
    local = tiny.root / ".diptych" / "channel" / "linux-64" / "run_exports.json"
    python = [
        one
        for name, one in json.loads(local.read_text())["packages.conda"].items()
        if name.startswith("python-")
    ]
    assert python[0]["run_exports"]["noarch"] == ["python"]


@pytest.fixture(scope="module")
def served(tiny: Checkout, channels: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The packages of both versions on a web server: a channel, and an index of wheels (PEP 691)."""
    assert channels
    root = tmp_path_factory.mktemp("served")
    for name in ("conda", "wheels"):
        shutil.copytree(tiny.root / "dist" / name, root / name)
    files = [
        {
            "filename": path.name,
            "url": f"../../wheels/{path.name}",
            "hashes": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        }
        for path in sorted((root / "wheels").glob("*.whl"))
    ]
    (root / "simple" / "tiny").mkdir(parents=True)
    (root / "simple" / "tiny" / "index.html").write_text(json.dumps({"files": files}))
    with web_server(root, tmp_path_factory.mktemp("logs")) as url:
        yield url


def wheel_name(tiny: Checkout, version: str) -> str:
    (path,) = (tiny.root / "dist" / "wheels").glob(f"tiny-{version}-*.whl")
    return path.name


@pytest.mark.parametrize("form", ["name", "url", "file"])
def test_published_packages_side_by_side(tiny: Checkout, served: str, form: str) -> None:
    name = wheel_name(tiny, "1.1")
    wheel = {
        "name": name,
        "url": f"{served}/wheels/{name}",
        "file": str(tiny.root / "dist" / "wheels" / name),
    }[form]
    words = ("--from-channel", f"{served}/conda", "tiny", "1.1", wheel)
    done = tiny.diptych("compare", *words, PIP_INDEX_URL=f"{served}/simple")
    assert done.returncode == 0, done.output
    assert "code sections equal, addresses aside, in" in done.output
    assert "tiny-1.1-" in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tiny", "9.9", "{wheel}"), '/conda has no package "tiny" 9.9 for'),
        (("nosuch", "1.1", "{wheel}"), '/conda has no package "nosuch" 1.1 for'),
        (("tiny", "1.1", "{served}/gone/{wheel}"), "404"),
        (("tiny", "1.1", "{served}/wheels/{wheel}#sha256=12ab"), '"12ab" in '),
        (("tiny", "1.1", "tiny-1.1-cp27-cp27m-manylinux1_x86_64.whl"), "tiny-1.1-py"),
        (("tiny", "1.1", "no-wheel"), "Invalid wheel filename"),
        (("tiny", "1.1"), "takes a name, a version and a wheel, not 2 words"),
    ],
    ids=["version", "name", "gone", "hash", "python", "wheel", "words"],
)
def test_what_is_not_published_is_said(
    tiny: Checkout, served: str, words: tuple[str, ...], said: str
) -> None:
    filled = [word.format(wheel=wheel_name(tiny, "1.1"), served=served) for word in words]
    done = tiny.diptych("compare", "--from-channel", f"{served}/conda", *filled)
    clear(done, said)


def test_the_doctor_looks_at_a_url(tiny: Checkout, served: str) -> None:
    conda = next((tiny.root / "dist" / "conda" / "linux-64").glob("tiny-1.1-*.conda")).name
    url = f"{served}/conda/linux-64/{conda}"
    done = tiny.diptych("doctor", "--fail-on", "note", url)
    assert done.returncode == 0, done.output
    assert url in done.output
    clear(tiny.diptych("doctor", f"{served}/wheels/gone.whl"), "404")


def test_a_package_that_is_not_the_listed_one_is_refused(tiny: Checkout, served: str) -> None:
    name = wheel_name(tiny, "1.1")
    wrong = f"{served}/wheels/{name}#sha256={'0' * 64}"
    clear(tiny.diptych("doctor", wrong), "is not what was announced: its hash differs", "wanted sha256 0000")
