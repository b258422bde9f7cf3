"""The documentation of settings: the string below each field, read from the source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType


@cache
def field_docs(model: type) -> Mapping[str, str]:
    """Return the documentation of each field of a settings dataclass, by field name, as one paragraph.

    Only annotated names directly followed by a string are taken (PEP 258 calls that an attribute docstring).
    """
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    if not isinstance(definition, ast.ClassDef):
        raise TypeError(model)
    found = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match text:
                case ast.Expr(value=ast.Constant(value=str(words))):
                    found[field.target.id] = " ".join(words.split())
    return MappingProxyType(found)
