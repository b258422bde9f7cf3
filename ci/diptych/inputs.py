"""What goes into one stage of a cell: a frozen dataclass that its maker gets, and nothing else; its hash is the key of the result.

A field of such a dataclass is in the key as it is. :class:`By` says by what else it enters, and :class:`Unkeyed` that no byte of the result
depends on it, and why: where results go, what only ends a run. So what a maker can use and what is in the key cannot part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, get_type_hints

from diptych import __version__
from diptych.store import Store, digest, read_json, write_json

FOLDER = "inputs"


class Dataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=Dataclass)


@dataclass(frozen=True)
class By:
    """Marks a field that enters the key by what this returns for it: a JSON-able value.

    A function of the module, or a lambda that uses its argument alone: :func:`typing.get_type_hints` evaluates it.
    """

    value: Callable[[Any], object]


@dataclass(frozen=True)
class Unkeyed:
    """Marks a field that no byte of the result depends on.

    Attributes:
        why: one line for the reader.
    """

    why: str


SYSTEM = Unkeyed("what the system needs to work; it shapes no result")
PLACE = Unkeyed("where results go, not what they are")
NAME = Unkeyed("for messages and names of folders")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """All that one stage's result depends on.

    Attributes:
        stage: the store's name of the stage, such as ``wheel``.
        values: name → JSON-able value; a mapping in it has a name of its own for each entry.
    """

    stage: str
    values: Mapping[str, object]

    @property
    def key(self) -> str:
        """Name the result: the hash of every value, whatever their order."""
        return digest(self.stage, dict(self.values))

    @property
    def texts(self) -> dict[str, str]:
        """Return one text for each single value, by its full name: ``compiler version``, ``sources src/a.cpp``."""
        return dict(_flat("", dict(self.values)))


def inputs_of(stage: str, job: Dataclass) -> Inputs:
    """Return a stage's inputs: each field of the dataclass that its maker gets, as the field says.

    Args:
        stage: the store's name of the stage.
        job: the dataclass.
    """
    return Inputs(stage=stage, values={"diptych": __version__, **_keyed(job)})


def part(kind: type[T], whole: object) -> T:
    """Return the fields of ``whole`` that the dataclass ``kind`` has."""
    return kind(**{field.name: getattr(whole, field.name) for field in fields(kind)})


def _keyed(job: Dataclass) -> dict[str, object]:
    marks = get_type_hints(type(job), include_extras=True)
    found = {}
    for field in fields(job):
        value = getattr(job, field.name)
        mark = _mark(marks[field.name])
        if isinstance(mark, Unkeyed):
            continue
        found[field.name.replace("_", "-")] = mark.value(value) if mark else _plain(value)
    return found


def _mark(annotation: object) -> By | Unkeyed | None:
    return next(
        (one for one in getattr(annotation, "__metadata__", ()) if isinstance(one, (By, Unkeyed))), None
    )


def _plain(value: object) -> object:
    return _keyed(value) if is_dataclass(value) and not isinstance(value, type) else value


@dataclass(frozen=True, kw_only=True)
class Change:
    """One input that differs: its name, and both texts; an empty one where it was not there."""

    name: str
    before: str
    now: str


@dataclass(frozen=True, kw_only=True)
class StageHistory:
    """Why the result of a stage was made the last time.

    Attributes:
        stage: its name.
        first: whether there is no earlier one to compare with.
        gone: whether the inputs were those of the time before, and the kept result was missing or damaged.
        changes: the inputs that differed, by name.
    """

    stage: str
    first: bool
    gone: bool
    changes: tuple[Change, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as ``diptych why-rebuilt --json`` prints them."""
        changes = [{"name": one.name, "before": one.before, "now": one.now} for one in self.changes]
        return {"stage": self.stage, "first": self.first, "gone": self.gone, "changes": changes}


def made_once(
    store: Store,
    cell: str,
    inputs: Inputs,
    make: Callable[[Path], None],
    *,
    valid: Callable[[Path], bool] = lambda _: True,
) -> tuple[Path, bool]:
    """Return the stage's result, made unless it is there, and remember what it was made from.

    Args:
        store: where results are.
        cell: whose stage it is.
        inputs: their hash is the key.
        make: fills an empty folder.
        valid: as :meth:`diptych.store.Store.entry` says.

    Raises:
        StoreError: the disk is full or cannot be written.
    """
    file = _file(store, cell, inputs.stage)
    old, now = read_json(file), inputs.texts
    changed = old.get("now") != now
    if changed:  # before it is made: a stage that fails was started for a reason as well
        write_json(file, {"now": now, "before": old.get("now"), "gone": False})
    folder, made = store.entry(inputs.stage, inputs.key, make, valid=valid)
    if made and not changed:
        write_json(file, {**old, "gone": True})
    return folder, made


def history(store: Store, cell: str) -> tuple[StageHistory, ...]:
    """Return why each stage of a cell was made the last time; empty for a cell that was never built."""
    files = sorted((store.root / FOLDER / cell).glob("*.json"))
    return tuple(_history(file.stem, read_json(file)) for file in files)


def _history(stage: str, noted: Mapping[str, Any]) -> StageHistory:
    now, before, gone = _texts(noted.get("now")) or {}, _texts(noted.get("before")), bool(noted.get("gone"))
    names = sorted({*now, *(before or {})})
    changes = () if before is None or gone else tuple(
        Change(name=name, before=before.get(name, ""), now=now.get(name, ""))
        for name in names
        if before.get(name) != now.get(name)
    )  # fmt: skip
    return StageHistory(stage=stage, first=before is None and not gone, gone=gone, changes=changes)


def _texts(value: object) -> dict[str, str] | None:
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, dict) else None


def _file(store: Store, cell: str, stage: str) -> Path:
    return store.root / FOLDER / cell / f"{stage}.json"


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, one in sorted(value.items(), key=lambda item: str(item[0])):
            yield from _flat(f"{name} {key}".strip(), one)
    elif isinstance(value, (list, tuple, set, frozenset)):
        members = sorted(map(str, value)) if isinstance(value, (set, frozenset)) else map(str, value)
        yield name, ", ".join(members)
    else:
        yield name, "" if value is None else str(value)
