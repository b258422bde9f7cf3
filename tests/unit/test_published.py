"""Packages that others published are found in an index, fetched, and checked by hash; all of it from file: URLs here."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from diptych.errors import ChannelError, ConfigError
from diptych.fetching import Hash, fetch, file_name, hash_in, proxies_for
from diptych.published import (
    Build,
    conda_for_wheel,
    fetch_beside,
    fetch_build,
    fetch_package,
    fetch_wheel,
    inflated,
    packed_together,
)
from diptych.zstd import zstd
from helpers.conda_package import tiny_conda

LINUX = "pair-1.2-cp311-cp311-manylinux_2_17_x86_64.whl"


def entry(content: bytes, **fields: object) -> dict[str, object]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "build_number": 0, "depends": [], **fields}


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    """Three Pythons, two builds of one of them, both formats of it, another version, another package, another platform."""
    abi = {"depends": ["python >=3.11,<3.12.0a0", "python_abi 3.11.* *_cp311"]}
    entries = {
        "pair-1.2-py310_0.conda": entry(b"310", depends=["python >=3.10,<3.11.0a0"]),
        "pair-1.2-py311_0.conda": entry(b"old", **abi),
        "pair-1.2-py311_1.conda": entry(b"new", build_number=1, **abi),
        "pair-1.2-py312_0.conda": entry(b"312", depends=["python_abi 3.12.* *_cp312", "python"]),
        "pair-1.2.1-py311_9.conda": entry(b"x", build_number=9, **abi),
        "my-pair-1.2-py311_9.conda": entry(b"x", build_number=9, **abi),
    }
    old = {"pair-1.2-py311_1.tar.bz2": entry(b"bz2", build_number=1, **abi)}
    root = tmp_path / "channel"
    for subdir, conda, tar in (("linux-64", entries, old), ("noarch", {}, {}), ("osx-arm64", {}, {})):
        (root / subdir).mkdir(parents=True)
        text = json.dumps({"packages": tar, "packages.conda": conda, "removed": ["pair-1.2-py311_7.conda"]})
        (root / subdir / "repodata.json").write_text(text)
    (root / "linux-64" / "pair-1.2-py311_1.conda").write_bytes(b"new")
    (root / "linux-64" / "pair-1.2-py310_0.conda").write_bytes(b"damaged")
    return root


def test_the_newest_build_for_the_wheels_python_and_platform(channel: Path, tmp_path: Path) -> None:
    found = conda_for_wheel(channel.as_uri(), "pair", "1.2", f"https://x.example/{LINUX}#sha256=0", env={})
    assert file_name(found.url) == "pair-1.2-py311_1.conda"
    assert fetch_build(found, tmp_path, env={}).read_bytes() == b"new"


@pytest.mark.parametrize(("tag", "build"), [("cp310", "py310_0"), ("cp312", "py312_0")])
def test_each_python_has_its_own(channel: Path, tag: str, build: str) -> None:
    wheel = LINUX.replace("cp311", tag)
    assert build in conda_for_wheel(channel.as_uri(), "pair", "1.2", wheel, env={}).url


@pytest.mark.parametrize(
    "wheel",
    [LINUX.replace("cp311", "cp39"), "pair-1.2-cp311-cp311-macosx_11_0_arm64.whl"],
)
def test_what_is_there_is_named(channel: Path, wheel: str) -> None:
    with pytest.raises(ChannelError, match=r'has no package "pair" 1\.2') as caught:
        conda_for_wheel(channel.as_uri(), "pair", "1.2", wheel, env={})
    there = ("linux-64" in line for line in caught.value.details)
    assert all(there)
    assert len(caught.value.details) == (4 if "linux" in wheel else 0)


def test_a_packed_index_is_read_first(channel: Path) -> None:
    folder = channel / "linux-64"
    (folder / "repodata.json.zst").write_bytes(zstd.compress((folder / "repodata.json").read_bytes()))
    (folder / "repodata.json").write_text("{}")
    assert conda_for_wheel(channel.as_uri(), "pair", "1.2", LINUX, env={}).entry["build_number"] == 1


def test_a_damaged_index_is_an_error(channel: Path) -> None:
    (channel / "linux-64" / "repodata.json").write_text('{"packages.conda": {"pair-1.2-py311_0.conda": {"sha')
    with pytest.raises(ChannelError, match=r"is damaged at pair-1\.2-py311_0\.conda"):
        conda_for_wheel(channel.as_uri(), "pair", "1.2", LINUX, env={})


def test_a_package_is_checked_by_the_index_beside_it(channel: Path, tmp_path: Path) -> None:
    folder = (channel / "linux-64").as_uri()
    assert fetch_package(f"{folder}/pair-1.2-py311_1.conda", tmp_path, env={}).read_bytes() == b"new"
    with pytest.raises(ChannelError, match="its hash differs") as caught:
        fetch_package(f"{folder}/pair-1.2-py310_0.conda", tmp_path, env={})
    assert caught.value.details[1] == f"got {hashlib.sha256(b'damaged').hexdigest()}"
    assert not (tmp_path / "pair-1.2-py310_0.conda").exists()


def test_a_wheel_by_name(tmp_path: Path) -> None:
    (tmp_path / "simple" / "pair").mkdir(parents=True)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / LINUX).write_bytes(b"wheel")
    page = {"files": [{"filename": LINUX, "url": f"../../files/{LINUX}", "hashes": {"sha256": "0" * 64}}]}
    index = tmp_path / "simple" / "pair" / "index.json"
    index.write_text(json.dumps(page))
    env = {"PIP_INDEX_URL": (tmp_path / "simple").as_uri()}
    with pytest.raises(ChannelError, match="cannot be fetched"):  # a folder is no page
        fetch_wheel(LINUX, tmp_path, env=env)


def test_a_wheel_that_is_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    assert fetch_wheel(f"{tmp_path}/{LINUX}", tmp_path, env={}) == tmp_path / LINUX


@pytest.mark.parametrize("wheel", ["pair", "pair-1.2.tar.gz", "pair.whl"])
def test_what_is_no_wheel(channel: Path, wheel: str) -> None:
    with pytest.raises(ConfigError):
        conda_for_wheel(channel.as_uri(), "pair", "1.2", wheel, env={})


DIGEST = hashlib.blake2b(b"x", digest_size=32).hexdigest()


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        (f"https://x.example/a.whl#sha256={'1' * 64}", Hash(algorithm="sha256", value="1" * 64)),
        (f"https://x.example/a.whl#egg=a&sha256={'1' * 64}", Hash(algorithm="sha256", value="1" * 64)),
        (
            f"https://files.pythonhosted.org/packages/{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST[4:]}/a.whl",
            Hash(algorithm="blake2b", value=DIGEST),
        ),
        (
            f"https://x.example/packages/{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST[4:]}/a.whl",
            Hash(algorithm="sha256", value=""),
        ),
        ("https://x.example/a.whl#md5=1", Hash(algorithm="sha256", value="")),
    ],
    ids=["fragment", "further words", "pypi", "like pypi", "none"],
)
def test_the_hash_that_a_url_states(url: str, wanted: Hash) -> None:
    assert hash_in(url) == wanted


@pytest.mark.parametrize("stated", ["", "00", "g" * 64, "1" * 65])
def test_a_hash_that_is_none_is_not_passed_over(stated: str) -> None:
    with pytest.raises(ChannelError, match="is no sha256"):
        hash_in(f"https://x.example/a.whl#egg=a&sha256={stated}")


def test_what_was_packed_together_is_fetched_too(tmp_path: Path) -> None:
    there, here = tmp_path / "channel" / "linux-64", tmp_path / "here"
    library = tiny_conda(there, "libpair", "1.2", "h0_0")
    other = tiny_conda(there, "libpair", "1.2", "h1_0", content="other")
    exact = ["libpair ==1.2 h0_0", "python_abi 3.11.* *_cp311", "numpy >=1.2 h0_0", "gone 1 h0_0", "python"]
    main = tiny_conda(there, "pair", "1.2", "py311_0", depends=exact)
    index = {path.name: entry(path.read_bytes()) for path in (library, other, main)}
    (there / "repodata.json").write_text(json.dumps({"packages.conda": index}))
    assert packed_together(exact) == ("libpair-1.2-h0_0", "gone-1-h0_0")
    found = Build(url=main.as_uri(), sha256="", entry={"depends": exact})
    here.mkdir()
    fetch_build(found, here, env={})
    fetch_beside(found, here, env={})
    assert sorted(path.name for path in here.iterdir()) == [library.name, main.name]
    library.write_bytes(b"another")
    with pytest.raises(ChannelError, match="hash differs"):
        fetch_beside(found, tmp_path, env={})


def test_pypis_hash_holds(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "a.whl").write_bytes(b"x")
    wanted = Hash(algorithm="blake2b", value=DIGEST)
    assert fetch((tmp_path / "from" / "a.whl").as_uri(), tmp_path, env={}, wanted=wanted).read_bytes() == b"x"


@pytest.mark.parametrize(
    "url", ["https://x.example", "https://x.example/", "https://x.example/a%2f..", "https://x/%00"]
)
def test_a_url_without_a_file(url: str) -> None:
    with pytest.raises(ChannelError, match="names no file"):
        file_name(url)


def test_proxies_by_curls_rules() -> None:
    env = {"https_proxy": "http://p:1", "NO_PROXY": "example.org, .inner"}
    assert proxies_for("https://x.example/a", env) == {"https": "http://p:1"}
    assert proxies_for("https://sub.example.org/a", env) == {}
    assert proxies_for("http://x.example/a", env) == {}


LARGE = b'{"packages": {}}' * 1000


def test_all_frames_are_read() -> None:
    assert inflated(zstd.compress(LARGE) + zstd.compress(b"more")) == LARGE + b"more"


def test_an_index_that_is_cut_off_is_not_taken_for_a_whole_one() -> None:
    packed = zstd.compress(LARGE)
    with pytest.raises(EOFError):
        inflated(packed[: len(packed) // 2])
