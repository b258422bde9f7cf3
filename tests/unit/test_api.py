"""The public API: its list, the page about it, and the functions themselves agree."""

from __future__ import annotations

import inspect
import re
import subprocess  # noqa: TID251 -- a fresh interpreter shows what an import brings
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

import diptych
from diptych import api
from helpers.archive_makers import make_wheel, wheel_files

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
FUNCTIONS = [name for name in api.__all__ if inspect.isfunction(getattr(api, name))]
CLASSES = [name for name in api.__all__ if inspect.isclass(getattr(api, name))]


def squeezed(text: str) -> str:
    """Return a text without blanks and line ends, and without the comma that a formatter puts last."""
    return re.sub(r"\s", "", text).replace(",)->", ")->")


def test_the_list_is_that_of_the_module() -> None:
    assert sorted([*api.__all__, "__version__"]) == sorted(diptych.__all__)
    assert set(diptych.__all__) <= set(dir(diptych))
    for name in api.__all__:
        assert getattr(diptych, name) is getattr(api, name)


def test_another_name_is_an_attribute_error_to_python_and_to_mypy() -> None:
    """mypy is strict here: it would refuse the ignore if it took the name."""
    with pytest.raises(AttributeError, match="no attribute 'exmaine'"):
        diptych.exmaine  # type: ignore[attr-defined]  # noqa: B018 -- the access is what is tried


def test_no_module_has_the_name_of_an_api_function() -> None:
    """Importing such a module would put it in the function's place."""
    package = Path(inspect.getfile(diptych)).parent
    assert not {path.stem for path in package.iterdir()} & set(diptych.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_page_has_the_signature(name: str) -> None:
    signature = f"def {name}{inspect.signature(getattr(diptych, name))}".replace("'", "")
    assert squeezed(signature) in squeezed(PAGE)


def test_the_page_has_no_other_function() -> None:
    assert sorted(re.findall(r"^def (\w+)", PAGE, re.MULTILINE)) == sorted(FUNCTIONS)


@pytest.mark.parametrize("name", CLASSES)
def test_the_page_names_attributes_that_exist(name: str) -> None:
    one = getattr(diptych, name)
    if name == "DiptychError":
        row = PAGE.partition("## Errors")[2]
        known = set(vars(one("what failed"))) | {"exit_code", name}
    else:
        row = re.findall(rf"^\| `{name}` \| (.*) \|$", PAGE, re.MULTILINE)[0]
        known = {
            *dir(one),
            *(field.name for field in fields(one) if is_dataclass(one)),
            *CLASSES,
            "value",
        }
    named = re.findall(r"`(\w+)`", re.sub(r"\(`equal`.*?is `different`\)", "", row))
    values = {"error", "drift", "note"}
    assert set(named) - values
    assert set(named) - values <= known


def test_the_example_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "dist"
    folder.mkdir()
    make_wheel(folder, wheel_files({"pair/__init__.py": b""}), name="pair-1.2-py3-none-any.whl")
    other = tmp_path / "site-packages" / "pair"
    other.mkdir(parents=True)
    (other / "__init__.py").write_bytes(b"changed = 1\n")
    monkeypatch.chdir(tmp_path)
    example = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
    exec(compile(example, "api.md", "exec"), {})  # noqa: S102 -- the page's own example
    assert "pair/__init__.py" in capsys.readouterr().out


def test_binaries_and_tables_are_read() -> None:
    (binary,) = diptych.read_binaries(Path(sys.executable).resolve())
    assert binary.needed
    root = Path(__file__).parents[2]
    assert diptych.read_config(root).package == "rigidalign"
    assert "3.11-gcc" in [cell.id for cell in diptych.read_matrix(str(root))]


def test_a_path_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    report = diptych.examine(tmp_path / "none.whl")
    assert [finding.code for finding in report.findings] == ["DIP502"]


def test_an_unknown_code_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(diptych.DiptychError, match='"DIX" is no rule'):
        diptych.examine(tmp_path, select=["DIX"])


def test_the_import_alone_brings_nothing() -> None:
    code = "import sys, diptych; print(sorted(name for name in sys.modules if name.startswith('diptych')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['diptych']"
