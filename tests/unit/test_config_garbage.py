"""Whatever TOML can say, the answer is a Config or a ConfigError; the schema takes what the parser takes."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.config import Config, load
from diptych.config.model import TABLE, CellSettings
from diptych.config.schema import schema
from diptych.errors import ConfigError
from diptych.matrix import cells, rows, select, to_json

_CHARACTERS = st.characters(exclude_categories=["Cs"])
_WORDS = st.sampled_from(
    ["3.12", "3.11", "3.12-*", "gcc", "clang", "mine", "*", "[", "[!a-", "3.12-gcc", "numpy", "local", "append",
     "none", "host", "env", "-", "{source}", "{", ".", "..", "/", "x" * 5000, "", "\x00", "a\nb", "cxx"]
)  # fmt: skip
_TEXT = _WORDS | st.text(_CHARACTERS, max_size=8)
_SCALAR = (
    _TEXT
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.dates(min_value=date(1000, 1, 1))
)
_OVERRIDE_KEYS = ["select", "inherit", "host", "env", "test", "channels", "hots"]
_KEYS = st.sampled_from([*TABLE.keys, *_OVERRIDE_KEYS, "cxx", "cc", "packages", "mine", "gcc"]) | _TEXT


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4)


_ANYTHING = st.recursive(_SCALAR, _containers, max_leaves=8)
_LISTS = st.lists(_WORDS, max_size=3)
_OVERRIDE = st.fixed_dictionaries(
    {"select": _WORDS | _LISTS},
    optional={
        "inherit": st.dictionaries(_KEYS, _WORDS, max_size=2),
        "host": _LISTS,
        "env": st.dictionaries(_TEXT, _TEXT, max_size=2),
        "test": _TEXT,
    },
)
_LIKELY = st.fixed_dictionaries(
    {"python": st.sampled_from([["3.12"], ["3.11", "3.12"]])},
    optional={
        "compiler": st.sampled_from([["gcc"], ["clang", "gcc"], ["mine"]]),
        "host": _LISTS,
        "env": st.dictionaries(_TEXT, _TEXT, max_size=2),
        "include": _LISTS,
        "exclude": _LISTS,
        "source": _TEXT,
        "recipe": _TEXT,
        "package": _TEXT,
        "test": _TEXT,
        "compilers": st.dictionaries(_WORDS, st.dictionaries(_KEYS, _TEXT | _LISTS, max_size=2), max_size=2),
        "overrides": st.lists(_OVERRIDE, max_size=2),
    },
)
_TABLES = st.dictionaries(_KEYS, _ANYTHING, max_size=6) | _LIKELY | st.builds(
    lambda good, bad: {**good, **bad}, _LIKELY, st.dictionaries(_KEYS, _ANYTHING, max_size=2)
)  # fmt: skip


def _toml(value: object) -> str:
    """Write a value as inline TOML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, (bool, float)) else str(value)


def _loaded(text: str) -> Config | None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pyproject.toml").write_text(text, encoding="utf-8", newline="")
        try:
            return load(Path(folder))
        except ConfigError as error:
            lines = [error.summary, *error.details]
    assert all(line.isprintable() for line in lines)
    return None


@functools.cache
def _schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


@settings(max_examples=400, deadline=None)
@given(_TABLES)
def test_any_table_gives_a_config_or_a_config_error(table: dict[str, Any]) -> None:
    project = {"name": "two-leaves", "version": "1"}
    config = _loaded(f"project = {_toml(project)}\ntool = {{diptych = {_toml(table)}}}\n")
    if config is not None:
        _schema().validate(table)
        matrix = cells(config, platform="linux-64")
        assert matrix
        assert len(rows(matrix)) == len(to_json(matrix)) == len(matrix)
        assert all(isinstance(cell.settings, CellSettings) for cell in select(matrix, ()))


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["name", "version", "dynamic", "requires-python", "x"]), _ANYTHING),
    _ANYTHING,
)
def test_any_project_table_gives_a_config_or_a_config_error(project: dict[str, Any], tool: object) -> None:
    _loaded(f'project = {_toml(project)}\ntool = {{diptych = {{python = ["3.12"]}}}}\n')
    _loaded(f"project = {_toml(project)}\ntool = {_toml(tool)}\n")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_give_a_config_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pyproject.toml").write_bytes(content)
        try:
            load(Path(folder))
        except ConfigError:
            return
        raise AssertionError(content)
