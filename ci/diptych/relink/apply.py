"""Apply a plan: copy the tree, edit each binary once, read it back, and keep a journal."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diptych.binaries import Binary, Signature, code_hashes, mapped, read, read_file, signature
from diptych.errors import RelinkError
from diptych.relink.editors import Editor, editor_for
from diptych.relink.plan import FilePlan, TreePlan
from diptych.store import sha256_file


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A binary, or one slice of a universal one, with the hashes of what relinking must not change.

    Attributes:
        binary: its facts.
        code: hashes by section.
        signature: what its signature is worth, all page hashes recomputed; ABSENT for ELF.
    """

    binary: Binary
    code: Mapping[str, str]
    signature: Signature = Signature.ABSENT


@dataclass(frozen=True, kw_only=True)
class Journal:
    """What a relink did.

    Attributes:
        purpose: "wheel", "conda" or "source".
        tools: the tools that edited, with their versions.
        entries: a line for each edited file: plan; hash, needed libraries, run path and identity before and after.
    """

    purpose: str
    tools: tuple[str, ...]
    entries: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the journal as it lies beside the artefact."""
        return asdict(self)


def relink_tree(plan: TreePlan, target: Path, *, env: Mapping[str, str]) -> Journal:
    """Copy ``plan.root`` to the folder ``target`` and apply the plan there; the original stays untouched.

    Args:
        plan: what to do.
        target: an empty or missing folder.
        env: the environment of the tools.

    Raises:
        RelinkError: a tool failed, or the file read back is not what the plan says.
    """
    shutil.copytree(plan.root, target, symlinks=True, dirs_exist_ok=True)
    return _apply(plan, target, env=env)


def relink_into(plan: TreePlan, target: Path, *, env: Mapping[str, str]) -> Journal:
    """Copy only the planned binaries of ``plan.root`` below ``target``, beside what is there, and apply the plan to the copies.

    Raises:
        RelinkError: as :func:`relink_tree`.
    """
    for one in plan.files:
        copy = target / one.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(plan.root / one.name, copy)
    return _apply(plan, target, env=env)


def _apply(plan: TreePlan, target: Path, *, env: Mapping[str, str]) -> Journal:
    edits = [one for one in plan.files if not one.empty]
    tools: dict[str, None] = {}
    entries = []
    for one in edits:
        editor = editor_for(read_file(target / one.name)[0].format, env=env)
        tools[editor.version()] = None
        entries.append(relink_file(one, target / one.name, editor))
    return Journal(purpose=plan.purpose, tools=tuple(tools), entries=tuple(entries))


def relink_file(plan: FilePlan, path: Path, editor: Editor) -> dict[str, Any]:
    """Edit one file through a temporary copy, check the result, and rename it into place.

    Returns:
        The journal's line.

    Raises:
        RelinkError: as :func:`relink_tree`; the file is then as it was.
    """
    before = read_slices(path)
    before_hash = sha256_file(path)
    temporary = path.with_name(f".{path.name}.relink")
    try:
        shutil.copy2(path, temporary)
        temporary.chmod(temporary.stat().st_mode | 0o200)
        editor.edit(plan, temporary)
        after = read_slices(temporary)
        check_edit(plan, before, after)
        shutil.copymode(path, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return {
        "plan": asdict(plan),
        "before": {"sha256": before_hash, **_commands(before[0].binary)},
        "after": {"sha256": sha256_file(path), **_commands(after[0].binary)},
    }


def _commands(binary: Binary) -> dict[str, Any]:
    """Return what a relink can change, for the journal."""
    run_path = "runpath" if binary.runpath else "rpath"
    return {"needed": binary.needed, run_path: binary.runpath or binary.rpath, "identity": binary.soname}


def read_slices(path: Path) -> tuple[Slice, ...]:
    """Read a binary with its code hashes.

    Raises:
        FormatError: it is damaged.
    """
    with mapped(path) as data:
        return tuple(
            Slice(binary=one, code=code_hashes(one, data), signature=signature(one, data))
            for one in read(data, path.name)
        )


def check_edit(plan: FilePlan, before: tuple[Slice, ...], after: tuple[Slice, ...]) -> None:
    """Hold a relinked binary, slice by slice, against its plan and its former self.

    Raises:
        RelinkError: code changed, a segment lost its alignment, or the load commands are not as planned.
    """
    if len(before) != len(after):
        raise RelinkError(f'relinking "{plan.name}" changed the number of its slices')
    for old, new in zip(before, after, strict=True):
        faults = list(_edit_faults(plan, old, new))
        if faults:
            raise RelinkError(f'relinking "{plan.name}" went wrong; the file is as it was', details=faults)


def _edit_faults(plan: FilePlan, before: Slice, after: Slice) -> list[str]:
    faults = []
    old, new = before.binary, after.binary
    changed = [name for name, value in before.code.items() if after.code.get(name) != value]
    if changed:
        faults.append(f"code sections changed: {', '.join(changed)}")
    if old.congruent and not new.congruent:
        faults.append("a segment's address and file offset no longer agree modulo its alignment")
    if (found := tuple(sorted(set(new.needed)))) != (wanted := plan.needed_after(old.needed)):
        faults.append(f"needed libraries are {found}, planned were {wanted}")
    if plan.rpath is not None and (new.rpath or new.runpath) != plan.rpath:
        faults.append(f"run path is {new.rpath or new.runpath}, planned was {plan.rpath}")
    unsigned = after.signature is Signature.ABSENT and before.signature is not Signature.ABSENT
    if unsigned or after.signature is Signature.STALE:
        faults.append(f"the signature is {after.signature.value}, and was {before.signature.value}")
    if plan.identity is not None and new.soname != plan.identity:
        faults.append(f"identity is {new.soname!r}, planned was {plan.identity!r}")
    return faults
