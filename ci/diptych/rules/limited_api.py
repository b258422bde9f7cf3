"""DIP110: what claims the stable ABI uses the limited API of the Python that it states, and no more."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.policy import outside_stable_abi
from diptych.pythons import STABLE
from diptych.rules import conditions
from diptych.rules.evidence import Evidence, Item
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import abi_of_tag
from diptych.rules.python_linkage import conda_python

_SHOWN = 8


@rule("DIP110", "not of the limited API", Severity.ERROR, conditions.stable_abi)
def outside_limited_api(evidence: Evidence) -> Iterator[Finding]:
    """A module that claims the stable ABI (`.abi3.so`, or a wheel's tag) refers to a symbol that is not in it, or not yet.

    Why: one file is to work with every Python from the stated floor on. A symbol that a later Python added is missing in the
    older ones ("undefined symbol" at import or at the first call), and one outside the stable ABI may vanish or change
    in any release. The compiler does not tell: without `Py_LIMITED_API` the headers offer everything. In a package for one Python alone, which
    can import it, this is a drift: the file's name promises more than its tag.

    Mend: define `Py_LIMITED_API` as the floor's number (0x030A0000 for 3.10) for every source of the module, or raise the floor
    in the wheel's tag to what the message says.

    Not seen: macros and inline functions that reach into structures, and names that are looked up at run time (`dlsym`).

    Source: PEP 384, PEP 652; CPython's Misc/stable_abi.toml, by way of abi3info; pypa/abi3audit.
    """
    floor = _stated_floor(evidence)
    weight = Severity.DRIFT if _for_one_python(evidence) else None
    for item in evidence.modules:
        if not _claims_stable(item, evidence):
            continue
        found = outside_stable_abi(item.deep.python_wanted, floor)
        if not found:
            continue
        unstable = [name for name, added in found.items() if added is None]
        late = [added for added in found.values() if added is not None]
        told = [f"{len(unstable)} symbols outside the stable ABI"] if unstable else []
        told += [f"needs Python {max(late)[0]}.{max(late)[1]}, states {_dotted(floor)}"] if late else []
        yield Finding(
            given=weight,
            place=item.label,
            message="; ".join(told),
            evidence=tuple(
                f"{name}: {f'added in {_dotted(added)}' if added else 'not in the stable ABI'}"
                for name, added in list(found.items())[:_SHOWN]
            ),
        )


def _claims_stable(item: Item, evidence: Evidence) -> bool:
    return item.module is not None and (
        item.module.stable or (not STABLE.isdisjoint(evidence.abi_tags) and item.module.python is None)
    )


def _for_one_python(evidence: Evidence) -> bool:
    """Tell whether installers give the package to one Python alone, whatever the names of its modules claim."""
    tagged = [tag for tag in evidence.abi_tags if abi_of_tag(tag)]
    return conda_python(evidence) is not None or (len(tagged) == 1 and STABLE.isdisjoint(evidence.abi_tags))


def _stated_floor(evidence: Evidence) -> tuple[int, int] | None:
    """Return the oldest Python that a wheel's tag, or the dependencies of a conda package by CEP 20, admit."""
    if evidence.conda is not None:
        floors = [evidence.conda.floor(name) for name in ("cpython", "python")]
        return next((floor for floor in floors if floor), None)
    if STABLE.isdisjoint(evidence.abi_tags):
        return None
    found = [abi for tag in evidence.python_tags if (abi := abi_of_tag(tag))]
    return min((_numbers(abi.version) for abi in found), default=None)


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)


def _dotted(version: tuple[int, int] | None) -> str:
    return f"{version[0]}.{version[1]}" if version else "none"
