"""Packages of every kind, seen through the one interface."""

from __future__ import annotations

import bz2
import hashlib
import os
import subprocess  # noqa: TID251 -- a fresh interpreter
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from diptych.archives import Limits, Member, Package, PackageKind, open_package
from diptych.archives.limits import Guard
from diptych.archives.tarstream import tar_members
from diptych.errors import FormatError
from helpers.archive_makers import (
    FILES,
    INDEX,
    METADATA,
    WHEEL,
    conda_from_tars,
    conda_info,
    make_conda,
    make_environment,
    make_folder,
    make_tar_bz2,
    make_wheel,
    tar_bytes,
    wheel_files,
)

Maker = Callable[[Path], Path]
MAKERS: dict[str, Maker] = {
    "wheel": make_wheel,
    "conda": make_conda,
    "tar.bz2": make_tar_bz2,
    "folder": make_folder,
    "environment": make_environment,
}


@pytest.fixture(params=MAKERS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return MAKERS[request.param](tmp_path)


def test_all_kinds_hold_the_same_payload(path: Path) -> None:
    with open_package(path) as package:
        assert [member.name for member in package.payload] == sorted(FILES)
        assert {member.name: member.size for member in package.payload} == {
            name: len(data) for name, data in FILES.items()
        }
        assert {member.name for member in package.payload if member.executable} == {"pair/_core.so"}
        assert dict(package.walk(package.is_payload)) == {
            member: FILES[member.name] for member in package.payload
        }


def test_one_member_can_be_read_in_four_ways(path: Path) -> None:
    content = FILES["pair/_core.so"]
    with open_package(path) as package:
        member = package.find("pair/_core.so")
        assert member is not None
        assert package.read(member) == package.read("pair/_core.so") == content
        assert package.head(member, 4) == b"\x7fELF"
        assert package.head(member, 10**9) == content
        assert member.sha256 == hashlib.sha256(content).hexdigest()
        with package.open(member) as stream:
            assert stream.read(5) + stream.read() == content


def test_heads_of_many_members_come_in_one_pass(path: Path) -> None:
    with open_package(path) as package:
        heads = {member.name: head for member, head in package.walk(package.is_payload, head=4)}
    assert heads == {name: data[:4] for name, data in FILES.items()}


def test_members_are_sorted_and_found_by_name(path: Path) -> None:
    with open_package(path) as package:
        names = [member.name for member in package.members]
        assert names == sorted(names)
        assert package.find("nowhere") is None
        with pytest.raises(
            FormatError, match=r'"pair/_core\.s".*is not there; did you mean "pair/_core\.so"'
        ):
            package.read("pair/_core.s")


def test_wheel(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, folders=True)
    with open_package(path) as package:
        assert (package.kind, package.name, package.version, package.build) == (
            PackageKind.WHEEL,
            "pair",
            "1.2",
            "",
        )
        assert {str(tag) for tag in package.tags} == {
            "cp311-cp311-manylinux_2_17_x86_64",
            "cp311-cp311-manylinux2014_x86_64",
        }
        assert package.size == path.stat().st_size
        assert package.metadata.metadata == METADATA
        assert package.metadata.wheel == WHEEL
        assert package.metadata.record.endswith("RECORD,,\n")
        assert "pair:main" in package.metadata.entry_points
        assert package.metadata.index == package.metadata.paths == {}
        assert package.collisions == ()


@pytest.mark.parametrize(
    ("name", "build", "tags"),
    [
        ("pair-1.2-3abc-py2.py3-none-any.whl", "3abc", {"py2-none-any", "py3-none-any"}),
        ("Pair-1.2+cpu-cp39-abi3-linux_x86_64.whl", "", {"cp39-abi3-linux_x86_64"}),
    ],
)
def test_wheel_file_names(tmp_path: Path, name: str, build: str, tags: set[str]) -> None:
    with open_package(make_wheel(tmp_path, name=name)) as package:
        assert package.name == "pair"
        assert package.build == build
        assert {str(tag) for tag in package.tags} == tags


@pytest.mark.parametrize("maker", [make_conda, make_tar_bz2])
def test_conda(tmp_path: Path, maker: Maker) -> None:
    with open_package(maker(tmp_path)) as package:
        found = (package.kind, package.name, package.version, package.build)
        assert found == (PackageKind.CONDA, "pair", "1.2", "py311_0")
        assert package.metadata.index == INDEX
        assert package.metadata.about == {"license": "MIT"}
        assert package.metadata.run_exports == {"weak": ["pair >=1.2"]}
        assert len(package.metadata.paths["paths"]) == len(FILES)
        assert package.metadata.link == {}
        assert package.metadata.metadata == ""
        assert package.tags == frozenset()


def test_metadata_of_a_conda_package_leaves_the_payload_alone(tmp_path: Path) -> None:
    with open_package(conda_from_tars(tmp_path, tar_bytes(conda_info()), b"no tar at all")) as package:
        assert package.metadata.paths["paths"]
        with pytest.raises(FormatError, match="truncated"):
            _ = package.members
        with pytest.raises(FormatError, match="damaged"):
            _ = package.members


@pytest.mark.parametrize("maker", [make_conda, make_tar_bz2])
def test_a_whole_walk_leaves_the_listing(
    tmp_path: Path, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []

    def counted(
        chunks: Iterator[bytes], guard: Guard, digest: Callable[[str], str]
    ) -> Iterator[tuple[Member, Iterator[bytes]]]:
        passes.append(guard)
        return tar_members(chunks, guard, digest)

    monkeypatch.setattr("diptych.archives.tarcontainer.tar_members", counted)
    with open_package(maker(tmp_path)) as package:
        before = len(passes)
        list(package.walk(package.is_payload))
        walked = len(passes)
        assert len(package.members) == len(FILES) + 4
        assert len(passes) == walked
        assert len({member.sha256 for member in package.members}) > 4
        assert len(passes) - walked == walked - before


def test_links_are_facts_and_are_not_followed(tmp_path: Path) -> None:
    links = {"lib/libpair.so": "libpair.so.1", "lib/away": "../pair"}
    for maker in (make_conda, make_tar_bz2, make_folder):
        with open_package(_with_folder(maker, tmp_path, links)) as package:
            assert {m.name: m.link for m in package.payload if m.link is not None} == links
            assert not any(member.link for member, _ in package.walk(lambda _: True))
            link = package.find("lib/libpair.so")
            assert link is not None
            with pytest.raises(FormatError, match=r'a link to "libpair\.so\.1", which is not followed'):
                package.read(link)


def _with_folder(maker: Callable[..., Path], folder: Path, links: dict[str, str]) -> Path:
    return maker(folder, {**FILES, "lib/libpair.so.1": b"x"}, links=links)


def test_a_hard_link_has_the_contents_of_its_file(tmp_path: Path) -> None:
    with open_package(make_conda(tmp_path, hard={"pair/twin.so": "pair/_core.so"})) as package:
        twin, file = package.find("pair/twin.so"), package.find("pair/_core.so")
        assert twin is not None
        assert file is not None
        assert (twin.hard, twin.link, twin.size) == (True, "pair/_core.so", file.size)
        assert package.read(twin) == package.read(file)
        assert twin.sha256 == file.sha256


def test_environment(tmp_path: Path) -> None:
    with open_package(make_environment(tmp_path)) as package:
        assert package.kind is PackageKind.ENVIRONMENT
        assert package.metadata.records == (INDEX,)
        assert package.size > sum(map(len, FILES.values()))


def test_unpacked_packages_are_folders_with_metadata(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with open_package(make_folder(tmp_path / "a", wheel_files())) as package:
        assert package.kind is PackageKind.FOLDER
        assert package.metadata.metadata == METADATA
        assert [member.name for member in package.payload] == sorted(FILES)
    (tmp_path / "b").mkdir()
    with open_package(make_folder(tmp_path / "b", {**conda_info(), **FILES})) as package:
        assert (package.kind, package.version) == (PackageKind.FOLDER, "1.2")
        assert [member.name for member in package.payload] == sorted(FILES)


def test_links_in_a_folder_may_lead_anywhere(tmp_path: Path) -> None:
    root = make_folder(tmp_path, links={"out": "/etc", "gone": "nowhere", "loop": "loop"})
    with open_package(root) as package:
        assert {m.name for m in package.members if m.link} == {"out", "gone", "loop"}


def test_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "_core.so"
    path.write_bytes(b"\x7fELF")
    with open_package(path) as package:
        assert (package.kind, package.size) == (PackageKind.FILE, 4)
        assert dict(package.walk(package.is_payload)) == {package.members[0]: b"\x7fELF"}
        assert package.metadata.index == {}


def test_a_file_named_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to("real")
    with open_package(tmp_path / "link") as package:
        assert package.read("link") == b"x"


def test_collisions_are_facts_not_errors(tmp_path: Path) -> None:
    files = {"a/README": b"", "a/readme": b"", "a/caf\u00e9": b"", "a/cafe\u0301": b"", "a/other": b""}
    with open_package(make_conda(tmp_path, files)) as package:
        assert package.collisions == (("a/cafe\u0301", "a/caf\u00e9"), ("a/README", "a/readme"))


def _pipe(folder: Path) -> Path:
    root = make_folder(folder)
    os.mkfifo(root / "pair" / "pipe")
    return root


def _not_utf8(folder: Path) -> Path:
    root = make_folder(folder)
    (root / os.fsdecode(b"\xff")).write_bytes(b"")
    return root


def _huge(folder: Path) -> Path:
    root = make_folder(folder)
    with (root / "huge").open("wb") as file:
        file.truncate(Limits().max_metadata + 1)
    (root / "info").mkdir()
    (root / "huge").rename(root / "info" / "index.json")
    return root


def _bad_suffix(folder: Path) -> Path:
    return make_wheel(folder, name="pair.whl")


def _other_dist_info(folder: Path) -> Path:
    return make_wheel(folder, name="peer-1.2-py3-none-any.whl")


@pytest.mark.parametrize(
    ("maker", "cause"),
    [
        (lambda folder: folder / "gone.whl", "cannot be read: No such file"),
        (lambda _: Path("/dev/null"), "neither a file nor a folder"),
        (_pipe, r'member "pair/pipe": a device, pipe or socket'),
        (_not_utf8, "the name is not UTF-8"),
        (_huge, "too much for metadata"),
        (_bad_suffix, "not the file name of a wheel"),
        (_other_dist_info, r"no, or more than one, .peer-….dist-info. folder"),
    ],
)
def test_what_cannot_be_opened(tmp_path: Path, maker: Maker, cause: str) -> None:
    with pytest.raises(FormatError, match=cause), open_package(maker(tmp_path)) as package:
        _ = package.members


BROKEN = {
    b"": "broken JSON",
    b'{"name": ': "broken JSON",
    b"[1, 2]": "a JSON object is expected, not list",
    b"[" * 100_000: "broken JSON",
    b'{"a": ' + b"9" * 5000 + b"}": "broken JSON|has no name",
    b'\xff{"name": "a"}': "broken JSON",
    b'{"name": "a", "version": 1}': "has no version",
}


@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize("maker", [make_conda, make_tar_bz2])
def test_broken_index_json(tmp_path: Path, maker: Callable[..., Path], text: bytes) -> None:
    if maker is make_conda:
        path = make_conda(tmp_path, info={"info/index.json": text})
    else:
        path = tmp_path / "a-1-0.tar.bz2"
        path.write_bytes(bz2.compress(tar_bytes({"info/index.json": text})))
    with pytest.raises(FormatError, match=BROKEN[text]) as caught:
        open_package(path)
    assert "info/index.json" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (b"", "has no metadata-version, name, version"),
        (b"Name: a\n\nVersion: 1\n", "has no metadata-version, version"),
        (b"Name: \xff\n", "not UTF-8"),
    ],
)
def test_broken_wheel_metadata(tmp_path: Path, text: bytes, cause: str) -> None:
    files = {**wheel_files(), "pair-1.2.dist-info/METADATA": text}
    with open_package(make_wheel(tmp_path, files)) as package, pytest.raises(FormatError, match=cause):
        _ = package.metadata.metadata


def test_limits_hold_for_every_kind(path: Path) -> None:
    def listed(limits: Limits) -> Package:
        with open_package(path, limits=limits) as package:
            list(package.walk(lambda _: True))
        return package

    listed(Limits())
    with pytest.raises(FormatError, match="more than 3 members"):
        listed(Limits(max_members=3))
    with pytest.raises(FormatError, match="limit"):
        listed(Limits(max_member=1000))


def test_a_listing_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    path = make_wheel(tmp_path)
    code = (
        "import sys; from pathlib import Path; from diptych.archives import open_package\n"
        "with open_package(Path(sys.argv[1])) as package: assert package.members\n"
        "print({'backports', 'compression', 'packaging', 'zipfile', 'tarfile', 'bz2', 'shutil'} & set(sys.modules))"
    )
    source = str(Path(__file__).parents[2] / "ci")
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(path)],
        env={"PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"
