"""Conditions of recipes: ``linux and not aarch64``."""

from __future__ import annotations

import ast


def holds(condition: str, platform: str) -> bool | None:
    """Tell whether a condition is met on a platform.

    Args:
        condition: names of platforms with ``and``, ``or``, ``not``.
        platform: conda's name, such as "linux-64".

    Returns:
        ``None`` where it asks for something else, such as the version of Python.
    """
    try:
        tree = ast.parse(condition.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return None
    return _value(tree.body, _names(platform))


def _names(platform: str) -> dict[str, bool]:
    system, _, machine = platform.partition("-")
    names = dict.fromkeys(("linux", "osx", "win", "unix", "emscripten", "wasi", "freebsd"), False)
    names |= dict.fromkeys(
        ("x86", "x86_64", "aarch64", "arm64", "ppc64le", "s390x", "linux32", "linux64", "win32", "win64"),
        False,
    )
    machine_name = {"64": "x86_64"}.get(machine, machine)
    names |= {system: True, "unix": system != "win", machine_name: True, "x86": machine == "64"}
    names |= {f"{system}64": machine == "64"}
    return names


def _value(node: ast.expr, names: dict[str, bool]) -> bool | None:
    match node:
        case ast.Name(id=name):
            return names.get(name)
        case ast.Constant(value=bool(value)):
            return value
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _value(operand, names)
            return None if inner is None else not inner
        case ast.BoolOp(op=operator, values=values):
            return _joined([_value(one, names) for one in values], either=isinstance(operator, ast.Or))
        case _:
            return None


def _joined(parts: list[bool | None], *, either: bool) -> bool | None:
    """Join with ``or`` (``either``) or ``and``; one part may decide although others are not known."""
    if either in parts:
        return either
    return None if None in parts else not either
