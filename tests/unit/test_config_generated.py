"""The schema and the reference page follow the model, and the schema agrees with the parser."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import jsonschema
import pytest

from diptych.config import load
from diptych.config.docs import field_docs
from diptych.config.files import read_toml
from diptych.config.generate import CHECKOUT, generated, write
from diptych.config.kinds import keys
from diptych.config.model import CellSettings, CompilerSpec, Override, ReleaseSettings, RunSettings
from diptych.config.schema import schema
from diptych.errors import ConfigError

PROJECT = '[project]\nname = "two-leaves"\nversion = "1.0"\n'


@pytest.mark.parametrize("name", sorted(generated()))
def test_generated_files_are_current(name: str) -> None:
    current = (CHECKOUT / name).read_text(encoding="utf-8")
    assert current == generated()[name], "run: python -m diptych.config.generate"


def test_write_writes_them(tmp_path: Path) -> None:
    write(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")} == set(generated())


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("model", [RunSettings, CellSettings, CompilerSpec, Override, ReleaseSettings])
def test_every_key_is_documented_and_reads_its_own_default(model: type) -> None:
    docs = field_docs(model)
    for key in keys(model):
        assert docs[key.field].endswith("."), key.name
    fields = {field.name for field in dataclasses.fields(model)}
    assert fields - {key.field for key in keys(model)} <= {"name", "values"}


def test_the_reference_has_every_key_once() -> None:
    page = generated()["docs/reference/table.md"]
    titles = re.findall(r"^### `(.*)`$", page, re.MULTILINE)
    assert len(titles) == len(set(titles))
    assert {
        "tool.diptych.python",
        "tool.diptych.compilers.NAME.cxx",
        "tool.diptych.overrides[].inherit",
    } <= set(titles)


GOOD = [
    'python = ["3.12"]',
    'python = ["3.14", "3.14t"]\nexclude = ["3.14t-gcc"]\n[[tool.diptych.overrides]]\nselect = "3.14t-*"\nhost = []',
    'python = ["3.99"]\ncompiler = ["gcc-12", "clang"]\nexclude = ["3.99-clang"]',
    'python = ["3.12"]\nhost = ["numpy", "c::numpy[version=\'>=2\']", "eigen 3.*", "gxx_linux-64=13", "a!=1|>3"]',
    'python = ["3.12"]\nchannels = ["local", "file:///a/b", "https://h/c", "conda-forge/label/x"]\nenv = {A = ""}',
    'python = ["3.12"]\ntest = """pytest\n  -q"""\nexclude-libraries = ["libcuda.so*"]\nbuild-type = "RelWithDebInfo"',
    'python = ["3.12"]\n[tool.diptych.compilers.gcc]\nflags = ["-O3", "-O3"]\nenv = {A = "1"}',
    'python = ["3.12"]\n[[tool.diptych.overrides]]\nselect = "3.12"\ninherit = {run = "append"}\nrun = ["x"]',
    'python = ["3.12"]\n[[tool.diptych.overrides]]\nselect = ["gcc", "*"]\nbuild-type = "Debug"',
    'python = ["3.12"]\n[tool.diptych.release]\nindex = "pypi"\nchannel = "https://prefix.dev/us"\nallow = ["local"]',
    'python = ["3.12"]\n[tool.diptych.release]\nindex = "http://127.0.0.1:8080/"\nchannel = "../out"\ntag = "a-{version}"',
    'python = ["3.12"]\n[tool.diptych.release]\nchannel = "quetz+https://q.example.com/us"\nsimple = "https://h/simple/"',
]
BAD = [
    "",
    "python = []",
    'python = "3.12"',
    "python = [3.12]",
    'python = ["3.12t"]',
    'python = ["3.9"]',
    'python = ["3.12", "3.12"]',
    'python = ["3.12"]\nhots = []',
    'python = ["3.12"]\nrelease = "pypi"',
    'python = ["3.12"]\n[tool.diptych.release]\nindex = "pipy"',
    'python = ["3.12"]\n[tool.diptych.release]\nindex = "https://me:secret@example.com/"',
    'python = ["3.12"]\n[tool.diptych.release]\nchannel = "ftp://example.com/x"',
    'python = ["3.12"]\n[tool.diptych.release]\ntag = "v1"',
    'python = ["3.12"]\n[tool.diptych.release]\nallow = ["locla"]',
    'python = ["3.12"]\nhost = [""]',
    'python = ["3.12"]\nchannels = ["./x"]',
    'python = ["3.12"]\nenv = {A = 1}',
    'python = ["3.12"]\nenv = {"1" = "1"}',
    'python = ["3.12"]\ncompiler = []',
    'python = ["3.12"]\nexclude = ["a b"]',
    'python = ["3.12"]\n[tool.diptych.compilers.gcc]\ncxxx = "a"',
    'python = ["3.12"]\n[tool.diptych.compilers."g c"]\ncxx = "a"',
    'python = ["3.12"]\n[[tool.diptych.overrides]]\nrun = ["x"]',
    'python = ["3.12"]\n[[tool.diptych.overrides]]\nselect = "3.12"\nsource = "."',
    'python = ["3.12"]\n[[tool.diptych.overrides]]\nselect = "3.12"\ninherit = {rnu = "append"}\nrun = ["x"]',
    'python = ["3.12"]\n[[tool.diptych.overrides]]\nselect = "3.12"\ninherit = {test = "append"}\ntest = "x"',
    'python = ["3.12"]\n[[tool.diptych.overrides]]\nselect = "3.12"\ninherit = {run = "add"}\nrun = ["x"]',
]


def _raw(file: Path) -> object:
    return json.loads(json.dumps(read_toml(file)))["tool"]["diptych"]


@pytest.mark.parametrize("table", GOOD)
def test_schema_and_parser_take_the_same(tmp_path: Path, table: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f"{PROJECT}[tool.diptych]\n{table}")
    load(tmp_path)
    jsonschema.Draft202012Validator(schema()).validate(_raw(file))


@pytest.mark.parametrize("table", BAD)
def test_schema_and_parser_refuse_the_same(tmp_path: Path, table: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f"{PROJECT}[tool.diptych]\n{table}")
    with pytest.raises(ConfigError):
        load(tmp_path)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(_raw(file))
