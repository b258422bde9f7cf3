"""What the pages tell a reader to type exists: tasks with their options, sessions, files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from diptych import DOCUMENTATION
from diptych.config.files import read_toml
from diptych.tasks import namespace

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SESSIONS = {"build", "test", "shell", "verify", "compare"}
# In a shell line, what follows these is no word of ours.
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


def test_there_are_commands_to_look_at() -> None:
    assert len(commands("diptych", "invoke")) > 30
    assert len(commands("nox")) > 5


def test_the_site_has_one_address() -> None:
    urls = read_toml(ROOT / "pyproject.toml")["project"]["urls"]
    assert urls["Documentation"] == DOCUMENTATION


@pytest.mark.parametrize("page", [page.relative_to(ROOT).as_posix() for page in PAGES])
def test_files_that_a_page_links_to_exist(page: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not re.match(r"\w+:", target):
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page} links to {target}"
