"""Random edits of everything that a build of a small project depends on; each one changes the project in place."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

RECIPE = """\
schema_version: 1
package:
  name: fractional-gcd
  version: "0.9"
build:
  number: 0
  script:
    content: |
      mkdir -p "$SP_DIR"
      cp -R "${DIPTYCH_STAGE:?}"/. "$SP_DIR"/
      cp -R "${DIPTYCH_ELSEWHERE:?}"/. "$PREFIX"/
    env:
      DIPTYCH_STAGE: ${{ env.get("DIPTYCH_STAGE") }}
      DIPTYCH_ELSEWHERE: ${{ env.get("DIPTYCH_ELSEWHERE") }}
source:
  path: ..
requirements:
  host: [python]
  run: [python]
about:
  summary: Edit 0
  license: MIT
  license_file: LICENSE
"""
TABLE = """
[tool.diptych]
python = ["{python}"]
channels = ["conda-forge", "local"]
package = "fractional"
test = "pytest -q"
test-sources = ["test_fractional.py"]
recipe = "conda/recipe.yaml"
"""


@dataclass(frozen=True, kw_only=True)
class Edits:
    """The project, and the variables that its next build is started with.

    Attributes:
        root: the project's folder.
        draw: the source of chance; with one seed the same edits.
        variables: of the environment, changed by an edit.
    """

    root: Path
    draw: random.Random
    variables: dict[str, str] = field(default_factory=dict)

    def one(self, number: int) -> str:
        """Make one edit and return what it was."""
        edit: Callable[[int], str] = self.draw.choice(
            [
                self._c,
                self._python,
                self._file,
                self._recipe,
                self._table,
                self._project,
                self._tool,
                self._shell,
            ]
        )
        return edit(number)

    def _append(self, name: str, text: str) -> str:
        with (self.root / name).open("a", encoding="utf-8") as file:
            file.write(text)
        return f"{name}: {text.strip()}"

    def _replace(self, name: str, pattern: str, text: str) -> str:
        path = self.root / name
        old = path.read_text(encoding="utf-8")
        assert re.search(pattern, old), (name, pattern)
        path.write_text(re.sub(pattern, text, old, count=1), encoding="utf-8")
        return f"{name}: {text}"

    def _c(self, number: int) -> str:
        return self._append("_gcd.c", f"const char* edit_{number}(void) {{ return __FILE__; }}\n")

    def _python(self, number: int) -> str:
        return self._append("fractional.py", f"EDIT = {number}\n")

    def _file(self, number: int) -> str:
        return self._append(f"notes-{self.draw.randrange(3)}.txt", f"{number}\n")

    def _recipe(self, number: int) -> str:
        pattern, text = self.draw.choice(
            [("summary: .*", f"summary: Edit {number}"), ("number: .*", f"number: {number}")]
        )
        return self._replace("conda/recipe.yaml", pattern, text)

    def _table(self, number: int) -> str:
        return self._replace(
            "pyproject.toml",
            "test = .*",
            self.draw.choice(
                [
                    f'test = "pytest -q -p no:cacheprovider --color=no -W ignore::DeprecationWarning:edit{number}"',
                    'test = "pytest -q"',
                ]
            ),
        )

    def _project(self, number: int) -> str:
        return self._replace("setup.cfg", "description = .*", f"description = Edit {number}")

    def _tool(self, _: int) -> str:
        return self._replace(
            "pyproject.toml",
            'setuptools>=70[^"]*',
            self.draw.choice(["setuptools>=70", "setuptools>=70,<80", "setuptools>=70,!=75.0"]),
        )

    def _shell(self, number: int) -> str:
        name, value = self.draw.choice(
            [
                ("CFLAGS", f"-DEDIT={number}"),
                ("CFLAGS", "-O1"),
                ("SOURCE_DATE_EPOCH", str(1_700_000_000 + number)),
            ]
        )
        self.variables[name] = value
        return f"{name}={value}"
