"""Secrets are kept from tools and out of texts."""

from __future__ import annotations

from pathlib import Path

from diptych.credentials import credentials_of, without_secrets
from diptych.output import Output
from diptych.workspace import open_workspace

ENV = {
    "PATH": "/bin",
    "TWINE_USERNAME": "ann",
    "TWINE_PASSWORD": "pypi-abcdef",
    "PREFIX_API_KEY": "pfx_abcdef",
    "AWS_SECRET_ACCESS_KEY": "pfx_abcdef-longer",
    "QUETZ_API_KEY": "",
    "ANACONDA_API_KEY": "x",
}


def test_tools_do_not_get_them(tmp_path: Path) -> None:
    assert without_secrets(ENV) == {"PATH": "/bin", "TWINE_USERNAME": "ann"}
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "pair"\nversion = "1"\n[tool.diptych]\npython = ["3.11"]\n'
    )
    workspace = open_workspace(tmp_path, env=ENV, machine="x86_64", output=Output(env=ENV))
    assert workspace.env == {"PATH": "/bin", "TWINE_USERNAME": "ann", "HOME": workspace.env["HOME"]}


def test_only_what_is_set_is_there() -> None:
    found = credentials_of(ENV)
    assert found.get("TWINE_PASSWORD") == "pypi-abcdef"
    assert found.get("QUETZ_API_KEY") == ""
    assert "PATH" not in found.values


def test_texts_lose_them_the_longest_first() -> None:
    found = credentials_of(ENV)
    assert found.redacted("a pypi-abcdef, pfx_abcdef-longer, pfx_abcdef x ann") == "a ***, ***, *** x ann"
    assert "pypi" not in repr(found)
    assert "pypi" not in f"{found}"
