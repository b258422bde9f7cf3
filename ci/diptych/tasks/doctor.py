"""``diptych doctor``: what is wrong, why, and what to do."""

from __future__ import annotations

from invoke.context import Context

from diptych.errors import ConfigError
from diptych.flow.machine import Machine, inspect_machine
from diptych.output import Output
from diptych.tasks.surface import process_workspace, surface


@surface(
    help={
        "env": "look at this machine: compilers, interpreters, tools, channels",
        "json": "print JSON",
    }
)
def doctor(
    _context: Context,
    env: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
    json: bool = False,  # noqa: FBT001, FBT002 -- as above
) -> None:
    """Tell what this machine has for building the matrix (--env)."""
    if not env:
        raise ConfigError("nothing to look at", hint="diptych doctor --env looks at this machine")
    workspace = process_workspace()
    machine = inspect_machine(workspace)
    if json:
        workspace.output.json(machine.to_json())
    else:
        _show(machine, workspace.output)


def _show(machine: Machine, output: Output) -> None:
    output.line("compilers", style="bold")
    for compiler in machine.compilers:
        output.line(f"  {compiler.name:<10} {compiler.describe()}")
    if not machine.compilers:
        output.line(
            "  none on PATH: apt-get install g++, or name one from a channel in [tool.diptych.compilers.X]"
        )
    output.line("interpreters", style="bold")
    for interpreter in machine.interpreters:
        output.line(f"  {interpreter.version:<10} {interpreter.executable} ({interpreter.source})")
    output.line("tools", style="bold")
    for name, version in machine.tools.items():
        output.line(f"  {name:<17} {version or 'not installed'}")
    output.line("channels", style="bold")
    for name, reason in machine.channels.items():
        output.line(f"  {name}: {'reachable' if reason is None else f'not reachable: {reason}'}")
