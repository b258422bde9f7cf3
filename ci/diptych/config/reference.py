"""The reference page of ``[tool.diptych]``, written from the settings model."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable

from diptych.config.docs import field_docs
from diptych.config.kinds import Key, Table, TableOf, keys
from diptych.config.model import (
    CellSettings,
    CompilerSpec,
    LibrarySpec,
    Override,
    ReleaseSettings,
    RunSettings,
    Waive,
)

_HEAD = """\
# The table [tool.diptych]

<!-- Written by `python -m diptych.config.generate` from ci/diptych/config/model.py; edit that. -->

Diptych reads `[tool.diptych]` of the `pyproject.toml` in the folder it runs in. The shortest table that
works:

```toml
[tool.diptych]
python = ["3.12"]
```

All that is wrong with a table is reported at once, each fault with its dotted path, the value, what was
expected and the nearest valid name. For an editor, `diptych/config/schema.json` in the installed package is
a JSON schema of this table. """

_SELECTORS = """\
## Cells and selectors

A cell is one Python with one compiler, written `3.12-gcc`. A selector is a cell, a Python (`3.12`), a
compiler (`gcc`), or a glob over one of them (`3.12-*`, `clang*`, `*-gcc-1?`). A selector that matches no
cell is an error. `include` and `exclude`, and `select` in overrides, are held against the whole product of
`python` and `compiler`. """

_EXAMPLE = """\
```toml
[tool.diptych.compilers.conda-gcc]
packages = ["gxx_linux-64=13"]

[[tool.diptych.overrides]]
select = "3.13-*"
inherit = { host = "append" }
host = ["libboost-python-devel >=1.86"]
```
"""


def reference() -> str:
    """Return the page in Markdown."""
    parts = [
        _HEAD,
        "## Keys of the whole run\n",
        *_entries(RunSettings, "tool.diptych"),
        "## Keys of each cell\n",
        f"{_summary(CellSettings)}\n",
        *_entries(CellSettings, "tool.diptych"),
        "## [tool.diptych.compilers.NAME]\n",
        f"{_summary(CompilerSpec)}\n",
        *_entries(CompilerSpec, "tool.diptych.compilers.NAME"),
        "## [tool.diptych.libraries.NAME]\n",
        f"{_summary(LibrarySpec)}\n",
        *_entries(LibrarySpec, "tool.diptych.libraries.NAME"),
        "## [[tool.diptych.overrides]]\n",
        f"{_summary(Override)}\n",
        *_entries(Override, "tool.diptych.overrides[]"),
        _EXAMPLE,
        "## [tool.diptych.release]\n",
        f"{_summary(ReleaseSettings)}\n",
        *_entries(ReleaseSettings, "tool.diptych.release"),
        "## [[tool.diptych.waive]]\n",
        f"{_summary(Waive)}\n",
        *_entries(Waive, "tool.diptych.waive[]"),
        _SELECTORS,
    ]
    return "\n".join(parts)


def _summary(model: type) -> str:
    return " ".join(inspect.cleandoc(model.__doc__ or "").split())


def _entries(model: type, path: str) -> Iterable[str]:
    docs = field_docs(model)
    for key in keys(model):
        yield f"### `{path}.{key.name}`\n\n{docs[key.field]}\n\n- Expected: {_escaped(key.kind.words)}."
        yield f"- {_default(key)}.\n"


def _default(key: Key) -> str:
    if key.required:
        return "Required"
    if key.default is None or isinstance(key.kind, Table | TableOf):
        return "Default: not given"
    return f"Default: `{json.dumps(key.default)}`"


def _escaped(words: str) -> str:
    """Keep globs from turning into emphasis."""
    return words.replace("*", r"\*")
