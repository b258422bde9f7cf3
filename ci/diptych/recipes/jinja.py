"""The Jinja and the selectors of a meta.yaml, line by line, in the words of a recipe.yaml.

conda-build: https://docs.conda.io/projects/conda-build/en/stable/resources/define-metadata.html (Jinja templates, preprocessing
selectors). rattler-build: https://rattler-build.prefix.dev/latest/converting_from_conda_build/
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

_SET = re.compile(r"\{%-?\s*set\s+(\w+)\s*=\s*(.+?)\s*-?%\}")
_STATEMENT = re.compile(r"\{%.*?%\}")
_COMMENT = re.compile(r"\{#.*?#\}")
_EXPRESSION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
# As conda_build.metadata has it: words may stand before and, without parentheses, behind the brackets.
_SELECTOR = re.compile(r"\s#[^\[\]]*\[([^\[\]]+)\][^()]*$")
_TOKEN = re.compile(r"JINJA(\d+)JINJA")
_ENVIRON = re.compile(
    r"(?:os\.)?environ(?:\.get\(\s*(['\"]\w+['\"])\s*(?:,\s*([^()]*?))?\s*\)|\[\s*(['\"]\w+['\"])\s*\])"
)
# Functions that only conda-build has: they read files of the project, or run it.
_UNKNOWN = ("load_setup_py_data", "load_setuptools", "load_file_regex", "load_file_data", "load_str_data", "GIT_", "resolved_packages", "installed(")  # fmt: skip
# Methods of Python's strings; minijinja (which rattler-build evaluates with) has filters of the same names.
_METHOD = re.compile(r"(\w+)\.(split|replace|lower|upper|title|trim)\(([^()]*)\)")
_PYTHON = re.compile(r"\bpy\s*(>=|<=|==|!=|<|>)\s*(\d)(\d+)\b")
_OLD = {"py3k": "true", "py2k": "false", "linux64": "(linux and x86_64)", "linux32": "false", "win32": "false", "win64": "(win and x86_64)"}  # fmt: skip


@dataclass(kw_only=True)
class Lines:
    """A meta.yaml as plain YAML, with what was taken out of it.

    Attributes:
        text: YAML, where each ``{{ }}`` is a word of ours; every line is where it was.
        context: the variables that ``{% set %}`` gives.
        selectors: condition by line, in rattler-build's words.
        expressions: what the words stand for.
        left: line and text of what could not be taken.
        unknown: variables whose value only conda-build can compute.
    """

    text: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    selectors: dict[int, str] = field(default_factory=dict)
    expressions: list[str] = field(default_factory=list)
    left: list[tuple[int, str]] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)

    def back(self, value: str) -> str:
        """Put the expressions back, as ``${{ }}``."""
        return _TOKEN.sub(lambda found: f"${{{{ {self.expressions[int(found[1])]} }}}}", value)


def read_lines(text: str) -> Lines:
    """Take Jinja and selectors out of a meta.yaml."""
    found = Lines()
    plain = [_line(number, line, found) for number, line in enumerate(text.splitlines(), start=1)]
    found.text = "\n".join(plain) + "\n"
    return found


def _line(number: int, line: str, found: Lines) -> str:
    line = _COMMENT.sub("", line)
    if selector := _SELECTOR.search(line):
        _keep_selector(number, selector[1], found)
        line = line[: selector.start()]
    if setting := _SET.search(line):
        _keep_setting(number, setting[1], setting[2], found)
        line = _SET.sub("", line)
    if statement := _STATEMENT.search(line):
        found.left.append(
            (number, f"{statement[0]}: a recipe.yaml has no statements; what it guards is taken without it")
        )
        line = _STATEMENT.sub("", line)
    return _EXPRESSION.sub(lambda one: _word(number, one[1], found), line)


def _word(number: int, expression: str, found: Lines) -> str:
    found.expressions.append(_converted(number, expression, found))
    return f"JINJA{len(found.expressions) - 1}JINJA"


def _keep_setting(number: int, name: str, expression: str, found: Lines) -> None:
    condition = found.selectors.pop(number, "")
    converted = _converted(number, expression, found)
    try:
        value = ast.literal_eval(expression)
    except (ValueError, SyntaxError):
        value = f"${{{{ {converted} }}}}"
    if any(word in expression for word in _UNKNOWN):
        found.unknown.add(name)
        return
    if isinstance(value, (list, tuple, dict)):
        found.left.append((number, f"{name}: a list or table of Jinja has no counterpart in `context`"))
        return
    if condition:
        other = found.context.get(name, "")
        value = f"${{{{ {_literal(value)} if {condition} else {_literal(other)} }}}}"
    found.context[name] = value


def _literal(value: object) -> str:
    """Write a value as a part of an expression."""
    if isinstance(value, str) and value.startswith("${{") and value.endswith("}}"):
        return f"({value[3:-2].strip()})"
    return repr(value).lower() if isinstance(value, bool) else repr(value)


def _converted(number: int, expression: str, found: Lines) -> str:
    """Write a Jinja expression as minijinja and rattler-build have it."""
    if any(word in expression for word in _UNKNOWN) or _first_word(expression) in found.unknown:
        found.left.append(
            (number, f"{{{{ {expression} }}}}: only conda-build can compute that; write the value")
        )
    text = _ENVIRON.sub(_env, expression)
    if "pin_compatible" in text or "pin_subpackage" in text:
        text = re.sub(r"\bmax_pin\b", "upper_bound", text)
        text = re.sub(r"\bmin_pin\b", "lower_bound", text)
    return _METHOD.sub(_filtered, text)


def _filtered(found: re.Match[str]) -> str:
    """Write a method of a string as the filter that minijinja has in its place."""
    arguments = f"({found[3]})" if found[3] else ""
    return f"({found[1]} | {found[2]}{arguments})"


def _env(found: re.Match[str]) -> str:
    name, default = found[1] or found[3], found[2]
    return f"env.get({name}, default={default})" if default else f"env.get({name})"


def _keep_selector(number: int, selector: str, found: Lines) -> None:
    condition = converted_selector(selector)
    if "environ" in condition:
        found.left.append(
            (number, f"# [{selector}]: a condition on the environment is not converted; the line is taken")
        )
        return
    found.selectors[number] = condition


def converted_selector(selector: str) -> str:
    """Write a selector as a condition: ``py>=38 and not win`` → ``match(python, ">=3.8") and not win``."""
    text = _PYTHON.sub(
        lambda found: f'match(python, "{_one(found[1], found[2], found[3])}")', selector.strip()
    )
    for name, words in _OLD.items():
        text = re.sub(rf"\b{name}\b", words, text)
    return text


def _one(operator: str, major: str, minor: str) -> str:
    version = f"{major}.{minor}"
    return {"==": f"{version}.*", "!=": f"!={version}.*", ">": f">={major}.{int(minor) + 1}", "<=": f"<{major}.{int(minor) + 1}"}.get(
        operator, f"{operator}{version}"
    )  # fmt: skip


def _first_word(expression: str) -> str:
    return re.split(r"\W", expression, maxsplit=1)[0]
