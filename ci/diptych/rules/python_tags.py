"""Rule DIP111: interpreter and ABI tags that no CPython asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diptych.pythons import STABLE
from diptych.rules import conditions
from diptych.rules.evidence import Evidence
from diptych.rules.model import Finding, Severity, rule

_INTERPRETER = re.compile(r"cp\d+")
_OWN = re.compile(r"(cp\d+)[a-z]*")


@rule("DIP111", "tags that no CPython asks for", Severity.ERROR, conditions.wheel)
def unasked(evidence: Evidence) -> Iterator[Finding]:
    """No Python takes the wheel: its interpreter tag and its ABI tag do not belong together, or one of them does not exist.

    Why: an installer goes through the tags of its own Python and passes over every other wheel, without a word. The interpreter tag has the
    version alone; that there is no GIL stands in the ABI tag: `cp315-cp315t` for one Python, `cp315-abi3t` for the stable ABI
    (PEP 803), `cp315-abi3.abi3t` for both kinds. `cp315t-abi3t` is asked for by nobody.

    Mend: bring the build backend up to date, or rename with `wheel tags --python-tag cp315 --abi-tag abi3t`.

    Not seen: whether the modules are what a possible tag says (DIP104, DIP110).

    Source: PEP 425; PEP 803; `packaging.tags.cpython_tags`; scikit-build/scikit-build-core#1378.
    """
    pythons = [tag for tag in evidence.python_tags if tag.startswith("cp")]
    if not pythons or len(pythons) != len(evidence.python_tags):
        return
    if any(_asked_for(python, abi) for python in pythons for abi in evidence.abi_tags):
        return
    yield Finding(
        message=f"no Python asks for {'.'.join(pythons)}-{'.'.join(evidence.abi_tags)}",
        evidence=tuple(
            f"{tag}: an interpreter tag has no letters behind the version"
            for tag in pythons
            if not _INTERPRETER.fullmatch(tag)
        ),
    )


def _asked_for(python: str, abi: str) -> bool:
    if not _INTERPRETER.fullmatch(python):
        return False
    own = _OWN.fullmatch(abi)
    return abi == "none" or abi in STABLE or (own is not None and own[1] == python)
