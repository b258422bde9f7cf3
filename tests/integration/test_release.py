"""A release to real servers on loopback: laid out, sent, interrupted, repeated, refused."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess  # noqa: TID251 -- a run that is killed from outside
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2

from diptych import process
from diptych.environments import HostRequest, create
from helpers import servers
from helpers.checkout import HERE, Checkout
from helpers.checkout import clear as told_clearly
from helpers.mount import mounted
from helpers.release import KEY, PASSWORD, SECRET, TAG, USER, Shop, git, open_shop, tagged_checkout

ALLOW = ("--allow", "local")


@pytest.fixture(scope="module")
def checkout(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, built: Checkout, session_env: dict[str, str]
) -> Checkout:
    """A tagged checkout whose release is laid out in dist/release."""
    made = tagged_checkout(
        tmp_path_factory.mktemp("released"), repository, built.root / ".diptych", session_env
    )
    done = made.diptych("release", *ALLOW)
    assert done.returncode == 0, done.output
    return made


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop")) as opened:
        yield opened


@pytest.fixture
def empty(shop: Shop) -> Shop:
    shop.empty()
    return shop


@pytest.fixture
def folder(checkout: Checkout) -> Path:
    return checkout.root / "dist" / "release"


def planned(folder: Path) -> dict[str, str]:
    """The artefacts of a release and their hashes."""
    items = json.loads((folder / "release.json").read_text())["items"]
    return {Path(one["file"]).name: one["sha256"] for one in items}


def again(
    checkout: Checkout, shop: Shop, *words: str, folder: Path | str = "dist/release", **variables: str
) -> process.Completed:
    """Send a release that is laid out."""
    command = ("release", "--assembled", str(folder), "--publish", *(words or shop.words()))
    return checkout.diptych(*command, **{**shop.variables, **variables})


def complete(shop: Shop, folder: Path) -> None:
    """Each server ends with exactly the planned files, and the channel's index with exactly the package."""
    wanted = planned(folder)
    (conda,) = (name for name in wanted if name.endswith(".conda"))
    assert shop.indexed() == {name: sha256 for name, sha256 in wanted.items() if name != conda}
    packages = {name for name in shop.stored() if name.endswith((".conda", ".tar.bz2"))}
    assert packages == {f"forge/linux-64/{conda}"}
    assert shop.repodata() == {f"linux-64/{conda}": wanted[conda]}


def clear(done: process.Completed, *words: str) -> None:
    assert done.returncode != 1, done.output  # each kind of refusal has a code of its own
    told_clearly(done, *words)


def test_the_folder_holds_all_that_belongs_to_a_release(checkout: Checkout, folder: Path) -> None:
    wanted = planned(folder)
    assert sorted(name.rpartition(".")[2] for name in wanted) == ["conda", "gz", "whl"]
    process.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], env=checkout.env, cwd=folder)
    listed = {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert listed == there - {"SHA256SUMS"}
    note = (folder / "NOTES.md").read_text()
    assert "# rigidalign 0.1.0" in note
    assert "closed-form least squares" in note
    assert f"| {HERE}-gcc-linux-64 |" in note
    assert git(checkout, "rev-parse", "HEAD")[:12] in note
    assert all(sha256 in note for sha256 in wanted.values())


def test_the_bill_of_materials_names_every_grafted_library(folder: Path) -> None:
    (wheel,) = (folder / "wheels").glob("*.whl")
    text = (folder / "sbom" / f"{wheel.name}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    with zipfile.ZipFile(wheel) as archive:
        grafted = {name for name in archive.namelist() if ".libs/" in name}
        assert archive.read("rigidalign-0.1.0.dist-info/sboms/diptych.cdx.json").decode() == text
        licences = [name for name in archive.namelist() if "/licenses/grafted/" in name]
    assert grafted
    packages = [one for one in json.loads(text)["components"] if one["type"] == "library"]
    named = {file["name"] for package in packages for file in package["components"]}
    assert named == grafted
    for package in packages:
        assert package["purl"].startswith("pkg:conda/libboost-python@")
        assert package["hashes"][0]["alg"] == "SHA-256"
        assert package["licenses"] == [{"expression": "BSL-1.0"}]
    assert licences


def test_each_artefact_has_a_statement_of_its_own(checkout: Checkout, folder: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    for name, sha256 in planned(folder).items():
        text = (folder / "provenance" / f"{name}.intoto.json").read_text()
        statement = json_format.Parse(text, statement_pb2.Statement())
        (subject,) = statement.subject
        assert (subject.name, subject.digest["sha256"]) == (name, sha256)
        definition = json.loads(text)["predicate"]["buildDefinition"]
        assert definition["resolvedDependencies"][0]["digest"] == {"gitCommit": commit}
        if not name.endswith(".gz"):
            assert any(one["name"].startswith("python ") for one in definition["resolvedDependencies"])
        assert str(checkout.root) not in text


def test_a_dry_run_looks_and_sends_nothing(checkout: Checkout, empty: Shop) -> None:
    done = checkout.diptych("release", *ALLOW, *empty.words(), "--json", **empty.variables)
    assert done.returncode == 0, done.output
    answer = json.loads(done.output[done.output.index("\n{\n") :])
    assert answer["published"] is False
    assert {one["state"] for one in answer["artefacts"]} == {"to send"}
    assert not any(one["fault"] for one in answer["checks"])
    assert not empty.indexed()
    assert not empty.stored()


def test_a_plan_builds_nothing(checkout: Checkout, tmp_path: Path, repository: Path) -> None:
    fresh = tagged_checkout(tmp_path / "fresh", repository, None, checkout.env)
    done = fresh.diptych("release", "--plan", "--index", "testpypi", "--channel", "https://prefix.dev/us")
    assert done.returncode == 0, done.output
    for word in ("testpypi", "prefix+https://prefix.dev/us", f"{HERE}-gcc-linux-64", f"tag {TAG}"):
        assert word in done.output
    assert not (fresh.root / "dist").exists()


def test_what_was_published_installs_and_passes_the_tests(
    checkout: Checkout, empty: Shop, folder: Path, tmp_path: Path
) -> None:
    done = checkout.diptych("release", *ALLOW, "--publish", *empty.words(), **empty.variables)
    assert done.returncode == 0, done.output
    complete(empty, folder)
    tests = checkout.root / "project" / "tests"
    env = {name: value for name, value in checkout.env.items() if not name.startswith("PYTHON")}

    process.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], env=env, cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q"]
    process.run([*pip, "numpy", "pytest"], env=env, cwd=tmp_path)
    process.run(
        [*pip, "--no-deps", "-i", f"{empty.index}simple/", "rigidalign==0.1.0"], env=env, cwd=tmp_path
    )
    ran = process.run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests], env=env, cwd=tmp_path)
    assert " passed" in ran.output

    served = tmp_path / "served"
    for name, content in empty.stored().items():
        (served / name).parent.mkdir(parents=True, exist_ok=True)
        (served / name).write_bytes(content)
    with servers.web_server(served, tmp_path) as url:
        request = HostRequest(
            python=HERE,
            specs=("rigidalign", "pytest"),
            channels=(f"{url}/forge", (checkout.root / ".diptych" / "channel").as_uri()),
        )
        environment = create(request, tmp_path / "prefix", env=checkout.env)
    found = environment.find("rigidalign")
    assert found
    assert found.sha256 == planned(folder)[f"rigidalign-0.1.0-{found.build}.conda"]
    ran = process.run(
        [environment.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests], env=env, cwd=tmp_path
    )
    assert " passed" in ran.output


def test_a_folder_served_over_http_is_a_channel(checkout: Checkout, folder: Path, tmp_path: Path) -> None:
    channel = tmp_path / "channel"
    words = ("release", "--assembled", "dist/release", "--publish", "--channel", channel.as_uri())
    done = checkout.diptych(*words)
    assert done.returncode == 0, done.output
    with servers.web_server(channel, tmp_path) as url:
        request = HostRequest(
            python=HERE,
            specs=("rigidalign",),
            channels=(url, (checkout.root / ".diptych" / "channel").as_uri()),
        )
        environment = create(request, tmp_path / "prefix", env=checkout.env)
    package = environment.find("rigidalign")
    assert package
    assert package.sha256 in planned(folder).values()
    before = written_at(channel)
    assert checkout.diptych(*words).returncode == 0
    assert written_at(channel) == before


def written_at(channel: Path) -> dict[Path, int]:
    """When each file was written, but for the lock, which names its last holder."""
    files = (path for path in channel.rglob("*.*") if path.is_file() and path.name != ".diptych.lock")
    return {path: path.stat().st_mtime_ns for path in files}


def test_killed_at_random_points_and_repeated_it_ends_the_same(
    checkout: Checkout, empty: Shop, folder: Path
) -> None:
    assert again(checkout, empty).returncode == 0
    whole = _sent(empty)
    chance = random.Random(20)
    states = set()
    for kill in range(int(checkout.env.get("DIPTYCH_KILLS", "8"))):  # 20 take two minutes more
        empty.empty()
        # Before anything is sent, when all is sent, and at points between.
        _kill_when_sent(checkout, empty, {0: 0, 1: whole}.get(kill, chance.randrange(whole + 1)))
        states.add((len(empty.indexed()), len(empty.stored())))
        done = again(checkout, empty)
        assert done.returncode == 0, done.output
        complete(empty, folder)
    assert len(states) > 1, "every kill came before or after all of the work"


def _sent(shop: Shop) -> int:
    objects = [one for one in shop.bucket.objects.all() if not one.key.endswith("/")]
    return len(list(shop.packages.iterdir())) + len(objects)


def _kill_when_sent(checkout: Checkout, shop: Shop, count: int) -> None:
    """Kill a release once so many files have arrived, wherever it is by then."""
    program = Path(sys.executable).with_name("diptych")
    command = [str(program), "release", "--assembled", "dist/release", "--publish", *shop.words()]
    with subprocess.Popen(
        command,
        cwd=checkout.root,
        env={**checkout.env, **shop.variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as run:
        while run.poll() is None:
            if _sent(shop) >= count:
                os.killpg(run.pid, signal.SIGKILL)
                break
            time.sleep(0.01)


def test_an_index_that_was_never_written_is_written_by_the_next_run(
    checkout: Checkout, empty: Shop, folder: Path
) -> None:
    assert again(checkout, empty).returncode == 0
    for one in empty.bucket.objects.all():
        if "repodata" in one.key:
            one.delete()
    done = again(checkout, empty)
    assert done.returncode == 0, done.output
    complete(empty, folder)


def test_other_bytes_of_the_same_version_stop_it(checkout: Checkout, empty: Shop, folder: Path) -> None:
    (wheel,) = (folder / "wheels").glob("*.whl")
    (empty.packages / wheel.name).write_bytes(b"another build")
    clear(again(checkout, empty), wheel.name, "a published version never changes", "nothing was sent")
    assert list(empty.indexed()) == [wheel.name]
    assert not empty.stored()
    empty.empty()
    (conda,) = (folder / "conda" / "linux-64").glob("*.conda")
    empty.bucket.put_object(Key=f"forge/linux-64/{conda.name}", Body=b"another build")
    clear(again(checkout, empty), conda.name, "nothing was sent")
    assert not empty.indexed()
    assert list(empty.stored()) == [f"forge/linux-64/{conda.name}"]


def test_wrong_credentials_are_seen_before_anything_is_sent(checkout: Checkout, empty: Shop) -> None:
    clear(again(checkout, empty, TWINE_PASSWORD="wrong-as-can-be"), f'"{USER}"', "TWINE_PASSWORD")
    clear(again(checkout, empty, TWINE_PASSWORD=""), "without credentials", "TWINE_PASSWORD")
    missing = again(checkout, empty, *empty.words(channel="s3://another-bucket/forge"))
    clear(missing, "s3://another-bucket/forge")
    assert not empty.indexed()
    assert not empty.stored()


def test_a_server_that_is_down_stops_it(checkout: Checkout, empty: Shop) -> None:
    with servers.refusing() as down:
        clear(again(checkout, empty, *empty.words(index=down)), down, "cannot be reached", "nothing was sent")
        clear(again(checkout, empty, AWS_ENDPOINT_URL=down), "s3://releases/forge", "cannot be reached")
    assert not empty.indexed()
    assert not empty.stored()


def test_a_dirty_tree_another_tag_and_an_empty_changelog_are_told_together(
    checkout: Checkout, empty: Shop
) -> None:
    kept = (checkout.root / "project" / "CHANGELOG.md").read_text()
    git(checkout, "tag", "-d", TAG)
    git(checkout, "tag", "v0.2.0")
    (checkout.root / "project" / "CHANGELOG.md").write_text("# Changes\n")
    try:
        done = checkout.diptych("release", *ALLOW, "--publish", *empty.words(), **empty.variables)
        clear(
            done,
            "this cannot be released: 3 things to mend",
            "not as committed: project/CHANGELOG.md",
            f'HEAD does not carry the tag "{TAG}"',
            "v0.2.0",
            "no heading with 0.1.0",
        )
        assert done.returncode == 17
        assert not empty.indexed()
    finally:
        git(checkout, "tag", "-d", "v0.2.0")
        git(checkout, "tag", TAG)
        (checkout.root / "project" / "CHANGELOG.md").write_text(kept)


def test_a_stand_in_channel_is_refused_unless_it_is_named(checkout: Checkout, empty: Shop) -> None:
    done = checkout.diptych("release", "--publish", *empty.words(), **empty.variables)
    clear(done, "built from the local channel", 'release.allow = ["local"]', "nothing was sent")
    assert not empty.indexed()
    assert not empty.stored()
    clear(checkout.diptych("release", "--allow", "locla"), '"locla"', "the only one is: local")


def test_a_tampered_release_is_refused_by_name(
    checkout: Checkout, empty: Shop, folder: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (wheel,) = (copy / "wheels").glob("*.whl")
    wheel.write_bytes(wheel.read_bytes() + b" ")
    done = again(checkout, empty, folder=copy)
    clear(done, f"wheels/{wheel.name}", "is not as it was assembled")
    clear(again(checkout, empty, folder=tmp_path), "is not what `diptych release` leaves")
    assert not empty.indexed()


def test_a_folder_that_cannot_be_written_or_is_full(checkout: Checkout, empty: Shop, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    clear(checkout.diptych("release", *ALLOW, "--out", str(taken)), "is no release of an earlier run")
    assert (taken / "mine.txt").read_text() == "mine"
    sealed = checkout.diptych("release", *ALLOW, "--out", "/proc/release")
    clear(sealed, "/proc/release", "cannot")
    for option, words in (("size=200k", ("No space left",)), ("ro,size=1m", ("Read-only",))):
        disk = tmp_path / option.replace(",", "-")
        disk.mkdir()
        with mounted(disk, option):
            done = checkout.diptych(
                "release", *ALLOW, "--publish", *empty.words(), "--out", str(disk / "out"), **empty.variables
            )
            clear(done, *words)
            assert not list(disk.iterdir())
    assert not empty.indexed()
    assert not empty.stored()


def test_tokens_are_in_no_file_and_no_output(checkout: Checkout, empty: Shop, folder: Path) -> None:
    home = checkout.root / "home"
    home.mkdir(exist_ok=True)
    for kind in (
        "wheel",
        "conda",
        "insource",
        "verified-wheel",
        "verified-conda",
        "sdist",
    ):  # so that these tools run again, with the tokens there
        shutil.rmtree(checkout.root / ".diptych" / kind)
    more = {"HOME": str(home), "PREFIX_API_KEY": "pfx-key-of-nobody", "QUETZ_API_KEY": "quetz-key-of-nobody"}
    done = checkout.diptych(
        "release", *ALLOW, "--publish", "-vv", *empty.words(), **{**empty.variables, **more}
    )
    assert done.returncode == 0, done.output
    assert "-m twine --no-color upload" in done.output
    complete(empty, folder)
    secrets = [
        word.encode() for word in (PASSWORD, KEY, SECRET, more["PREFIX_API_KEY"], more["QUETZ_API_KEY"])
    ]
    assert not [word for word in secrets if word in done.output.encode()]
    files = [path for path in checkout.root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(files) > 100
    found = [(path, word) for path in files for word in secrets if word in path.read_bytes()]
    assert not found
    refused = again(checkout, empty, "-vv", *empty.words(), TWINE_PASSWORD="wrong-0f-all")
    assert "wrong-0f-all" not in refused.output
