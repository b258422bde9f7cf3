"""Modules that a package can do without: those that its own code imports under ``except ImportError``, or never."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from diptych.archives import Package
from diptych.rules import Evidence
from diptych.rules.reaching import needs
from diptych.rules.resolution import is_expected

_LARGEST = 1 << 20
_CAUGHT = {"ImportError", "ModuleNotFoundError", "OSError", "Exception", "BaseException"}
_SITE = "site-packages/"


@dataclass(kw_only=True)
class _Seen:
    """Where a module is imported: with a way out, and without."""

    guarded: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)


def optional_modules(package: Package, evidence: Evidence) -> dict[str, str]:
    """Return module → why nobody has to be able to import it, of those that lack a library.

    Args:
        package: open.
        evidence: with closures.

    Raises:
        FormatError: a member cannot be inflated.
    """
    failing = {
        _dotted(need.root.place): need.root.place
        for need in needs(evidence)
        if need.entry.missing
        and need.root.module is not None
        and not is_expected(need.entry.name, need.item, evidence)
    }
    if not failing:
        return {}
    leaves = {name.rpartition(".")[2].encode() for name in failing}
    seen = {name: _Seen() for name in failing}
    for member, pieces in package.container.stream(
        lambda member: member.name.endswith(".py") and member.size <= _LARGEST
    ):
        text = b"".join(pieces)
        if any(leaf in text for leaf in leaves):
            for name, guarded in _imports(text, _dotted(member.name), member.name.endswith("/__init__.py")):
                if name in seen:
                    (seen[name].guarded if guarded else seen[name].bare).append(member.name)
    told = ((place, _reason(seen[name], place, evidence)) for name, place in failing.items())
    return {place: why for place, why in told if why}


def _reason(seen: _Seen, place: str, evidence: Evidence) -> str:
    if seen.guarded and not seen.bare:
        return f"{seen.guarded[0]} imports it only under except ImportError"
    if not seen.bare and _set_apart(place, evidence):
        return "no Python file of the package imports it, and its folder is no package"
    return ""


def _set_apart(place: str, evidence: Evidence) -> bool:
    """Tell whether a module lies in a top-level folder without any package, beside others that are packages."""
    top = _inside(place).partition("/")[0]
    starts = {_inside(name).partition("/")[0] for name in evidence.members if name.endswith("/__init__.py")}
    return "/" in _inside(place) and bool(starts) and top not in starts


def _inside(place: str) -> str:
    """Return a place as site-packages has it: without a conda package's prefix, or a wheel's ``.data`` scheme."""
    if _SITE in place:
        return place.partition(_SITE)[2]
    folder, _, rest = place.partition("/")
    return rest.partition("/")[2] if folder.endswith(".data") else place


def _dotted(place: str) -> str:
    folder, _, file = _inside(place).rpartition("/")
    name = file.partition(".")[0]
    parts = [*folder.split("/"), name] if folder else [name]
    return ".".join(parts[:-1] if name == "__init__" else parts)


def _imports(text: bytes, module: str, package: bool) -> Iterator[tuple[str, bool]]:  # noqa: FBT001 -- two callers
    """Yield every name that a file imports, and whether a failure is caught."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # templates, other Pythons
        return
    parents = module.split(".") if package else module.split(".")[:-1]
    pending: list[tuple[ast.AST, bool]] = [(tree, False)]
    while pending:
        node, guarded = pending.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, guarded) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = parents[: len(parents) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base, guarded
            yield from ((f"{base}.{alias.name}", guarded) for alias in node.names)
        elif isinstance(node, ast.Try) and any(map(_catches, node.handlers)):
            pending += [(child, True) for child in node.body]
            rest: Iterable[ast.AST] = (*node.handlers, *node.orelse, *node.finalbody)
            pending += [(child, guarded) for child in rest]
        elif isinstance(node, ast.With) and any(map(_suppresses, node.items)):
            pending += [(child, True) for child in node.body]
        else:
            pending += [(child, guarded) for child in ast.iter_child_nodes(node)]


def _catches(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or bool(_names(handler.type) & _CAUGHT)


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    return (
        isinstance(call, ast.Call)
        and "suppress" in _names(call.func)
        and any(_names(argument) & _CAUGHT for argument in call.args)
    )


def _names(node: ast.expr) -> set[str]:
    found = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return found | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
