"""When a rule has nothing to look at, and the words for it."""

from __future__ import annotations

from diptych.pythons import STABLE
from diptych.rules.evidence import Evidence
from diptych.rules.names import boost_python


def binaries(evidence: Evidence) -> str:
    """Any binary."""
    return "" if evidence.items else "no binary here"


def looked_into(evidence: Evidence) -> str:
    """A file that is a binary, or begins like one."""
    return "" if evidence.items or evidence.damaged else "no binary here"


def elf(evidence: Evidence) -> str:
    """An ELF file."""
    return "" if evidence.elf else "no ELF file here"


def macho(evidence: Evidence) -> str:
    """A Mach-O file."""
    return "" if evidence.macho else "no Mach-O file here"


def modules(evidence: Evidence) -> str:
    """An extension module."""
    return "" if evidence.modules else "no extension module here"


def boost(evidence: Evidence) -> str:
    """Anything of Boost.Python."""
    for item in evidence.items:
        names = (*item.binary.needed, item.place)
        if item.deep.boost_registry or any(boost_python(name) is not None for name in names):
            return ""
    return "nothing of Boost.Python here"


def free_threaded(evidence: Evidence) -> str:
    """A module for free-threaded Python."""
    pythons = [item.module.python for item in evidence.modules if item.module and item.module.python]
    return "" if any("t" in python.flags for python in pythons) else "no module for free-threaded Python here"


def stable_abi(evidence: Evidence) -> str:
    """A module that claims the stable ABI."""
    claimed = not STABLE.isdisjoint(evidence.abi_tags) or any(
        item.module and item.module.stable for item in evidence.modules
    )
    return "" if claimed and evidence.modules else "no module claims the stable ABI here"


def large_pages(evidence: Evidence) -> str:
    """A machine on which systems use pages of 64 KiB."""
    machines = {item.binary.machine for item in evidence.elf}
    return "" if machines & {"aarch64", "ppc64le"} else "no aarch64 or ppc64le file here"


def wheel(evidence: Evidence) -> str:
    """A wheel."""
    return "" if evidence.kind == "wheel" else "not a wheel"


def tagged(evidence: Evidence) -> str:
    """A wheel whose tag names a policy."""
    named = any(tag.level for tag in evidence.platforms)
    return "" if named else "no policy is named: not a manylinux or musllinux wheel"


def conda(evidence: Evidence) -> str:
    """A conda package."""
    return "" if evidence.conda is not None else "not a conda package"


def packed(evidence: Evidence) -> str:
    """A package of either kind."""
    return "" if evidence.packed else "not a package"


def environment(evidence: Evidence) -> str:
    """A conda environment."""
    return "" if evidence.kind == "environment" else "not an environment"


def resolved(evidence: Evidence) -> str:
    """Closures."""
    return "" if any(item.closure for item in evidence.items) else "no final place to resolve from"


def bound(evidence: Evidence) -> str:
    """Symbols bound in a closure that is known as a whole."""
    if any(item.deep.unbound is not None for item in evidence.items):
        return ""
    return "no closure is known as a whole: a library that is not here could have any symbol"
