"""What of a target was not looked at, although it is there: said with every report, since silence is no verdict."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.rules.evidence import Evidence
from diptych.rules.names import libpython
from diptych.rules.reaching import needs
from diptych.system import is_system_library

_SHOWN = 3


def unseen(evidence: Evidence) -> tuple[str, ...]:
    """Return a line for each kind of thing that no rule looked at."""
    return (*evidence.unread, *_left_to_others(evidence), *_unbound(evidence), *_unresolved(evidence))


def _left_to_others(evidence: Evidence) -> Iterator[str]:
    """Libraries of a conda package that its run dependencies may bring: their contents are not here."""
    if evidence.kind != "conda" or evidence.beside:
        return
    names = dict.fromkeys(
        need.entry.name
        for need in needs(evidence)
        if need.entry.missing
        and evidence.own_library(need.entry.name) is None
        and not libpython(need.entry.name)
        and not is_system_library(need.entry.name, need.item.binary.format)
    )
    if names:
        shown = ", ".join(list(names)[:_SHOWN])
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield f"whether the run dependencies bring {shown}{more} (--with PACKAGE decides)"


def _unbound(evidence: Evidence) -> Iterator[str]:
    """Binaries whose symbols were not bound, since a library of their closure is not here."""
    loadable = [
        item for item in evidence.items if item.binary.kind in {"shared", "bundle"} and item.binary.needed
    ]
    open_ones = [item for item in loadable if item.deep.unbound is None]
    if open_ones:
        yield (
            f"the undefined symbols of {len(open_ones)} of {len(loadable)} libraries and modules: "
            "something that they load is not here"
        )


def _unresolved(evidence: Evidence) -> Iterator[str]:
    kinds = {"shared", "bundle", "executable"}
    lost = [item for item in evidence.items if item.closure is None and item.binary.kind in kinds]
    if lost:
        yield f"what {len(lost)} binaries load: {lost[0].place}"
