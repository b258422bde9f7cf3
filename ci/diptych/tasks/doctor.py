"""``diptych doctor``: what is wrong, why, and what to do."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from diptych.distributions import how_to_install
from diptych.errors import ConfigError, FormatError, nearest
from diptych.output import Output
from diptych.tasks.surface import process_env, process_output, process_workspace, surface

if TYPE_CHECKING:
    from invoke.context import Context

    from diptych.cell.machine import Machine
    from diptych.compilers import Compiler
    from diptych.doctor import Report
    from diptych.doctor.targets import Target
    from diptych.doctor.triage import Triage

_FAIL_ON = ("error", "drift", "note", "never")


@surface(
    help={
        "words": "what to look at: binaries, wheels, conda packages, folders, environments, module names, URLs of files",
        "env": "look at this machine: compilers, interpreters, tools, channels",
        "log": "explain the error text in a file; - reads standard input",
        "with": "a package or environment that is installed beside: what it brings is found there; repeatable",
        "json": "print JSON",
        "sarif": "print SARIF 2.1.0",
        "select": "only these rules: a code, or the beginning of codes (DIP1); repeatable, or with commas",
        "ignore": "without these rules, likewise",
        "fail-on": "exit with 1 at a finding this bad or worse: error, drift, note, never (default: error)",
    },
    iterable=["select", "ignore", "with_"],
)
def doctor(  # noqa: PLR0913, PLR0917 -- each is a flag
    _context: Context,
    words: list[str],
    select: list[str],
    ignore: list[str],
    with_: list[str],
    env: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
    log: str = "",
    json: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
    sarif: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
    fail_on: str = "error",
) -> None:
    """Say what is wrong with something linked, why, and what to do (or look at this machine: --env)."""
    if fail_on not in _FAIL_ON:
        raise ConfigError(
            f'--fail-on "{fail_on}" is unknown{nearest(fail_on, _FAIL_ON)}', hint=", ".join(_FAIL_ON)
        )
    if env:
        _machine(as_json=json)
        return
    if not words and not log:
        raise ConfigError(
            "nothing to look at",
            hint="diptych doctor FILE…, --log FILE for an error text, --env for this machine",
        )
    output = process_output()
    report = _examined(words, select, ignore, with_)
    triage = _triaged(log, report) if log else None
    _told(report, triage, output, form="sarif" if sarif else "json" if json else "text")
    _judge(report, triage, fail_on)


def _examined(words: list[str], select: list[str], ignore: list[str], beside: list[str]) -> Report:
    from diptych.doctor import examine  # noqa: PLC0415 -- a listing needs no rules
    from diptych.doctor.targets import packages_in  # noqa: PLC0415 -- as above
    from diptych.rules import all_rules, choose  # noqa: PLC0415 -- as above

    rules = choose(all_rules(), select=select, ignore=ignore)
    with tempfile.TemporaryDirectory(prefix="diptych-") as folder:
        expanded = dict.fromkeys(each for word in words for each in packages_in(word, cwd=Path.cwd()))
        targets = [_target(word, Path(folder)) for word in expanded]
        siblings = [_target(word, Path(folder)) for word in beside]
        return examine(targets, rules=rules, host=_host(), beside=siblings)


def _target(word: str, folder: Path) -> Target:
    """Return what a word means; what a URL names is fetched into the folder."""
    from diptych.doctor import find_target  # noqa: PLC0415 -- as above
    from diptych.doctor.targets import Target  # noqa: PLC0415 -- as above

    if "://" not in word:
        return find_target(word, cwd=Path.cwd(), search=sys.path)
    from diptych.fetching import is_url  # noqa: PLC0415 -- 45 ms of HTTP, only for a URL
    from diptych.published import fetch_package  # noqa: PLC0415 -- likewise

    if not is_url(word):
        return find_target(word, cwd=Path.cwd(), search=sys.path)

    place = Path(tempfile.mkdtemp(dir=folder))
    return Target(shown=word.partition("#")[0], path=fetch_package(word, place, env=process_env()))


def _host() -> str | None:
    import platform  # noqa: PLC0415 -- as above

    return platform.machine() if platform.system() == "Linux" else None


def _triaged(log: str, report: Report) -> Triage:
    from diptych.doctor.triage import triage  # noqa: PLC0415 -- only for --log

    try:
        raw = sys.stdin.buffer.read() if log == "-" else Path(log).read_bytes()
    except OSError as error:
        raise FormatError(f'"{log}" cannot be read: {error.strerror}') from error
    return triage(raw.decode("utf-8", "replace"), report)


def _told(report: Report, found: Triage | None, output: Output, *, form: str) -> None:
    from diptych.doctor import json_sarif, text  # noqa: PLC0415 -- as above

    if form == "sarif":
        output.json(json_sarif.to_sarif(report))
        return
    if form == "json":
        triaged = {"log": found.to_json()} if found else {}
        output.json({**json_sarif.to_json(report), **triaged})
        return
    if found:
        from diptych.doctor.triage import triage_lines  # noqa: PLC0415 -- only for --log

        for line in triage_lines(found):
            output.line(line.text, style=line.style or None)
    for line in text.report_lines(report) if report.judged else ():
        output.line(line.text, style=line.style or None)


def _judge(report: Report, found: Triage | None, fail_on: str) -> None:
    """End with 1 where a finding is as bad as asked, or a log shows a known symptom."""
    from diptych.rules import Severity  # noqa: PLC0415 -- as above

    if fail_on == "never":
        return
    limit = Severity(fail_on).rank
    worst = report.worst
    if (worst is not None and worst.rank <= limit) or (found is not None and found.matches):
        raise SystemExit(1)


def _machine(*, as_json: bool) -> None:
    from diptych.cell.machine import inspect_machine  # noqa: PLC0415 -- only for --env

    workspace = process_workspace()
    machine = inspect_machine(workspace)
    if as_json:
        workspace.output.json(machine.to_json())
    else:
        _show(machine, workspace.output)


def _forecast(compiler: Compiler) -> str:
    """Say which tag the compiler's C++ library allows at worst; clang too compiles against gcc's libstdc++."""
    from diptych.policy import forecast  # noqa: PLC0415 -- only for --env

    if compiler.library != "libstdc++":
        return ""
    found = forecast(compiler.library_version, machine=compiler.target.partition("-")[0])
    return found.sentence if found else ""


def _show(machine: Machine, output: Output) -> None:
    output.line("compilers", style="bold")
    for compiler in machine.compilers:
        output.line(f"  {compiler.name:<10} {compiler.describe()}")
        worst = _forecast(compiler)
        if worst:
            output.line(f"  {'':<10} {worst}", style="dim")
    if not machine.compilers:
        output.line(
            f"  none on PATH: {how_to_install('g++')}, or name one from a channel in [tool.diptych.compilers.X]"
        )
    output.line("interpreters", style="bold")
    for interpreter in machine.interpreters:
        output.line(f"  {interpreter.version:<10} {interpreter.executable} ({interpreter.source})")
    output.line("tools", style="bold")
    for name, version in machine.tools.items():
        output.line(f"  {name:<17} {version or 'not installed':<13} {machine.places.get(name, '')}".rstrip())
    output.line("channels", style="bold")
    for name, reason in machine.channels.items():
        output.line(f"  {name}: {'reachable' if reason is None else f'not reachable: {reason}'}")
