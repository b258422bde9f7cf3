"""What the pages tell a reader to type exists: tasks with their options, sessions, files."""

from __future__ import annotations

import re
import subprocess  # noqa: TID251 -- a whole process is what is tested
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from diptych import DOCUMENTATION
from diptych.config.files import read_toml, toml_of
from diptych.config.schema import schema
from diptych.tasks import namespace
from helpers.archive_makers import make_wheel, wheel_files
from helpers.elf_builder import Sym, elf

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SESSIONS = {"build", "test", "shell", "verify", "compare"}
# In a shell line, what follows these is no word of ours.
_RUN = {
    "table": r"explain\b|schema$|matrix\b|plan\b|workflow --check|--list$",
    "package": r"doctor\b|why-tag\b",
    "packages": r"compare (?:A B|LEFT RIGHT)$",
}
_OUTSIDE = re.compile(r"https?:|why-tag --gcc")  # the web, this machine's compilers
_WHEEL = "pair-1.2-cp311-cp311-manylinux_2_34_x86_64.whl"
_STANDS_FOR = {
    "CODE": "DIP301",
    **dict.fromkeys(("A", "B", "LEFT", "RIGHT", "WHEEL", "FILE…", "SIBLING…"), _WHEEL),
}
_END = re.compile(r"\s(?:[|>;]|&&|#)|\s{3,}|$")


def lines(page: Path) -> Iterator[str]:
    """Yield what stands in code, in blocks and within lines, beginning with a program of ours."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|console|yaml)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for line in [*"\n".join(blocks).splitlines(), *inline]:
        if found := re.match(r"\s*(?:\$ |- |run: )*(?:\.venv/bin/)?((?:diptych|invoke|nox) .+)", line):
            yield _END.split(found[1], maxsplit=1)[0]


def commands(*programs: str) -> list[tuple[str, str]]:
    return sorted(
        {
            (page.relative_to(ROOT).as_posix(), line)
            for page in PAGES
            for line in lines(page)
            if line.split()[0] in programs
        }
    )


@pytest.mark.parametrize(("page", "line"), commands("diptych", "invoke"))
def test_tasks_and_their_options_exist(page: str, line: str) -> None:
    words = line.split()[1:]
    if words[0].startswith("-") or words[0].isupper():
        return
    known = {
        name: context for context in namespace.to_contexts() for name in (context.name, *context.aliases)
    }
    assert words[0] in known, f"{page}: `{line}`: no such task"
    flags = set(known[words[0]].flags) | {"--help"}
    for word in words[1:]:
        if word.startswith("-"):
            assert word.partition("=")[0].rstrip("…],") in flags, f"{page}: `{line}`: no option {word}"


@pytest.mark.parametrize(("page", "line"), commands("nox"))
def test_sessions_exist(page: str, line: str) -> None:
    own = set(
        re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE)
    )
    before, *_ = line.partition(" -- ")
    if found := re.search(r" -s ((?:[^-\s]\S* ?)+)", before):
        for name in found[1].replace('"', "").split():
            assert name in own or name.split("-")[0] in SESSIONS, f"{page}: `{line}`: no session {name}"


def runnable() -> list[tuple[str, str]]:
    """The commands that change nothing and need no network: with a table, of two packages, of one."""
    found = {
        line.removeprefix("invoke ").removeprefix("diptych ") for _, line in commands("diptych", "invoke")
    }
    return sorted(
        (line, kind)
        for line in found
        if not _OUTSIDE.search(line)
        for kind, pattern in _RUN.items()
        if re.match(pattern, line)
    )


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the commands of the pages name: two wheels, a folder of them."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "dist").mkdir()
    symbol = Sym(name="fork", version=("libc.so.6", "GLIBC_2.34"))
    files = wheel_files({"pair/_core.so": elf(needed=["libc.so.6"], symbols=[symbol])})
    for place in (folder, folder / "dist"):
        make_wheel(place, files, name=_WHEEL)
    return folder


@pytest.mark.parametrize(("line", "kind"), runnable())
def test_commands_that_change_nothing_run(line: str, kind: str, packages: Path) -> None:
    words = [_STANDS_FOR.get(word, word) for word in line.split()]
    words = [_WHEEL if re.search(r"\.(whl|conda)$", word) else word for word in words]
    if kind == "package" and (len(words) == 1 or words[1].startswith("-")):
        words.insert(1, _WHEEL)
    done = subprocess.run(
        [sys.executable, "-c", "from diptych.tasks import main; main()", *words],
        cwd=ROOT if kind == "table" else packages,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr  # 1: there are findings
    assert done.stdout
    assert "Traceback" not in done.stderr


def test_there_are_commands_to_look_at() -> None:
    assert len(commands("diptych", "invoke")) > 30
    assert len(commands("nox")) > 5
    assert {kind for _, kind in runnable()} == set(_RUN)
    assert len(tables()) > 5


def test_the_site_has_one_address() -> None:
    urls = read_toml(ROOT / "pyproject.toml")["project"]["urls"]
    assert urls["Documentation"] == DOCUMENTATION


@pytest.mark.parametrize("page", [page.relative_to(ROOT).as_posix() for page in PAGES])
def test_files_that_a_page_links_to_exist(page: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not re.match(r"\w+:", target):
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page} links to {target}"


@pytest.mark.parametrize("page", [page.relative_to(ROOT).as_posix() for page in PAGES])
def test_files_of_this_repository_that_a_page_names_exist(page: str) -> None:
    for named in re.findall(
        r"`((?:ci|tests|docs|bench|\.github)/[\w./*-]+)`", (ROOT / page).read_text(encoding="utf-8")
    ):
        assert list(ROOT.glob(named.rstrip("/"))), f"{page} names {named}"


def tables() -> list[tuple[str, str]]:
    """The TOML that pages show, with a table of ours in it."""
    return [
        (page.relative_to(ROOT).as_posix(), block)
        for page in PAGES
        for block in re.findall(
            r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        if "tool.diptych" in block
    ]


@pytest.mark.parametrize(("page", "block"), tables())
def test_tables_that_a_page_shows_follow_the_schema(page: str, block: str) -> None:
    """A part of a table is shown where the rest does not matter: what is required may be missing."""
    table = toml_of(block.encode(), Path(page))["tool"]["diptych"]
    faults = [
        f"{page}: {error.json_path}: {error.message}"
        for error in jsonschema.Draft202012Validator(schema()).iter_errors(table)
        if error.validator != "required"
    ]
    assert faults == []


def test_examples_are_the_files_that_the_tests_build() -> None:
    page = (ROOT / "docs" / "how-to" / "backends.md").read_text(encoding="utf-8")
    shown = re.findall(r"^`(tests/projects/\S+)`\n\n```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(shown) > 15
    for name, text in shown:
        assert (ROOT / name).read_text(encoding="utf-8").rstrip("\n") == text.rstrip("\n"), name
