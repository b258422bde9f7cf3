"""The kinds of value a key may have: what each accepts, and what it says when it does not.

A kind is annotated on a field of a settings dataclass (``host: Annotated[tuple[str, ...], ListOf(…)]``).
From it follow the parser (``read``, here), the JSON schema (``schema.py``) and the reference page
(``reference.py``). TOML has no null, so ``None`` stands for "was faulty, the fault is recorded".
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from diptych.config.faults import Place
from diptych.errors import nearest


def _no_problem(_: object) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A string of a certain form.

    Attributes:
        words: the form in words, fit to follow "expected".
        pattern: a regular expression for the whole string, valid in Python and in JSON schema (ECMA 262).
        problem: says what is wrong with a value in words of its own, or returns an empty string.
    """

    words: str
    pattern: str
    problem: Callable[[object], str] = _no_problem

    def read(self, value: object, place: Place) -> str | None:
        """Return the string, or record a fault."""
        if problem := self.problem(value):
            place.wrong(value, problem)
        elif isinstance(value, str) and self.accepts(value):
            return value
        else:
            quotes = ", in quotes" if isinstance(value, (int, float)) else ""
            place.wrong(value, f"expected {self.words}{quotes}")
        return None

    def accepts(self, name: str) -> bool:
        """Tell whether a string has the form."""
        return re.fullmatch(self.pattern, name) is not None

    def near(self, _: str) -> str:
        """Return no proposal: the names are free."""
        return ""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of a few names."""

    names: tuple[str, ...]

    @property
    def words(self) -> str:
        """The names, fit to follow "expected"."""
        return "one of " + ", ".join(f'"{name}"' for name in self.names)

    def read(self, value: object, place: Place) -> str | None:
        """Return the name, or record a fault with the nearest one."""
        if isinstance(value, str) and self.accepts(value):
            return value
        near = self.near(value) if isinstance(value, str) else ""
        place.wrong(value, f"expected {self.words}{near}")
        return None

    def accepts(self, name: str) -> bool:
        """Tell whether a string is one of the names."""
        return name in self.names

    def near(self, name: str) -> str:
        """Return the proposal of the nearest name, if one is near."""
        return nearest(name, self.names)


@dataclass(frozen=True, kw_only=True)
class Flag:
    """True or false."""

    words: str = "true or false"

    def read(self, value: object, place: Place) -> bool | None:
        """Return the value, or record a fault."""
        if isinstance(value, bool):
            return value
        place.wrong(value, f"expected {self.words}, without quotes")
        return None


@dataclass(frozen=True, kw_only=True)
class ListOf:
    """A list.

    Attributes:
        item: the kind of each entry.
        unique: an entry may not stand there twice.
        least: how many entries there must be.
        single: a lone string is taken for a list of one.
    """

    item: Text | Choice | Table
    unique: bool = False
    least: int = 0
    single: bool = False

    @property
    def words(self) -> str:
        """The form, fit to follow "expected"."""
        if self.single:
            return f"{self.item.words}, or a list of them"
        return f"a list, each entry {self.item.words}"

    def read(self, value: object, place: Place) -> tuple[Any, ...] | None:
        """Return the entries, or record a fault for each that is wrong."""
        if self.single and isinstance(value, str):
            only = self.item.read(value, place)
            return None if only is None else (only,)
        if not isinstance(value, list):
            place.wrong(value, f"expected {self.words}")
            return None
        before = len(place.faults)
        items = tuple(self.item.read(entry, place.item(index)) for index, entry in enumerate(value))
        if self.unique:
            _refuse_repeats(value, place)
        if len(value) < self.least:
            place.wrong(value, f"expected at least {self.least} entry, {self.item.words}")
        # A list of tables keeps its good parts, so that the checks across keys go on with them.
        return items if len(place.faults) == before or isinstance(self.item, Table) else None


def _refuse_repeats(values: list[object], place: Place) -> None:
    seen: dict[str, int] = {}
    for index, value in enumerate(values):
        if isinstance(value, str) and seen.setdefault(value, index) != index:
            place.item(index).wrong(value, f"stands there already, as entry [{seen[value]}]")


@dataclass(frozen=True, kw_only=True)
class TableOf:
    """A table whose names the project chooses.

    Attributes:
        name: the form of its names.
        value: the kind of its values.
    """

    name: Text | Choice
    value: Text | Choice | Table

    @property
    def words(self) -> str:
        """The form, fit to follow "expected"."""
        return f"a table from {self.name.words} to {self.value.words}"

    def read(self, value: object, place: Place) -> dict[str, Any] | None:
        """Return the table, or record a fault for each name and value that is wrong."""
        if not isinstance(value, dict):
            place.wrong(value, f"expected {self.words}")
            return None
        before = len(place.faults)
        found = {}
        for name, entry in value.items():
            if not self.name.accepts(name):
                place.key(name).fault(f"wrong name, expected {self.name.words}{self.name.near(name)}")
            found[name] = self.value.read(entry, place.key(name))
        return found if len(place.faults) == before or isinstance(self.value, Table) else None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table whose keys are the fields of settings dataclasses.

    Attributes:
        words: what it is, fit to follow "expected".
        models: the dataclasses, in the order of the reference page.
        closed: a key that is no field is a fault.
    """

    words: str
    models: tuple[type, ...]
    closed: bool = True

    @property
    def keys(self) -> Mapping[str, Key]:
        """The keys of all models by their name in TOML."""
        return {key.name: key for model in self.models for key in keys(model)}

    def read(self, value: object, place: Place) -> dict[str, Any] | None:
        """Return the given values by field name, where ``None`` stands for a faulty one; no defaults yet."""
        if not isinstance(value, dict):
            place.wrong(value, f"expected {self.words}")
            return None
        known = self.keys
        for name in value:
            if self.closed and name not in known:
                place.key(name).fault(f"unknown key{nearest(name, known)}")
        for key in known.values():
            if key.required and key.name not in value:
                place.key(key.name).fault(f"is required, expected {key.kind.words}")
        return {
            key.field: key.kind.read(value[name], place.key(name))
            for name, key in known.items()
            if name in value
        }


Kind: TypeAlias = Text | Choice | Flag | ListOf | TableOf | Table


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of a table.

    Attributes:
        name: its name in TOML, with dashes.
        field: its name in Python.
        kind: the kind of its value.
        required: it has no default.
        default: the default, if it is not required.
    """

    name: str
    field: str
    kind: Kind
    required: bool
    default: Any


@functools.cache
def keys(model: type) -> tuple[Key, ...]:
    """Return the keys of a settings dataclass: its fields that have a kind."""
    hints = typing.get_type_hints(model, include_extras=True)
    return tuple(
        _key(field, hints[field.name].__metadata__[0])
        for field in dataclasses.fields(model)
        if hasattr(hints[field.name], "__metadata__")
    )


def _key(field: dataclasses.Field[Any], kind: Kind) -> Key:
    made = field.default_factory is not dataclasses.MISSING
    default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    return Key(
        name=field.name.replace("_", "-"),
        field=field.name,
        kind=kind,
        required=not made and field.default is dataclasses.MISSING,
        default=default,
    )
