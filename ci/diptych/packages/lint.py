"""conda-forge's rules for recipes, as far as a recipe alone can show whether they are kept.

Source: conda-smithy's linter (``conda_smithy/lint_recipe.py``) and conda-forge's documentation, "Staging a recipe: checklist".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_ABOUT = {"homepage": "home page", "summary": "summary", "license": "licence", "license_file": "licence file"}
_NAME = re.compile(r"[a-z0-9_][a-z0-9_.-]*")
_SPEC = re.compile(r"\S+( \S+){0,2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def lint(recipe: Mapping[str, Any]) -> list[str]:
    """Return what a reviewer of staged-recipes would ask for, a sentence each.

    Args:
        recipe: the recipe as plain values, its expressions not evaluated.
    """
    whole = {key: value for key, value in recipe.items() if key != "outputs"}
    name = recipe.get("recipe", {}).get("name", "")
    said = list(_source(recipe))
    for output in recipe.get("outputs") or [{}]:
        # What an output does not say, the recipe says for all (recipe format, "Multiple outputs").
        build = {**whole.get("build", {}), **output.get("build", {})}
        one = {"package": {"name": name}, **whole, **output, "build": build}
        said += [*_about(one), *_requirements(one), *_rest(one)]
    return list(dict.fromkeys(said))


def _about(recipe: Mapping[str, Any]) -> Iterator[str]:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression  # noqa: PLC0415

    about = recipe.get("about", {})
    for key, words in _ABOUT.items():
        if not about.get(key):
            yield f"about.{key}: the {words} is missing"
    try:
        canonicalize_license_expression(about.get("license") or "MIT")
    except InvalidLicenseExpression:
        yield f'about.license: "{about["license"]}" is no SPDX expression (spdx.org/licenses)'


def _source(recipe: Mapping[str, Any]) -> Iterator[str]:
    source = recipe.get("source") or {}
    for one in source if isinstance(source, list) else [source]:
        if not one.get("url"):
            yield "source.url: the source is to be fetched from a release, not a folder"
        elif not _SHA256.fullmatch(str(one.get("sha256", ""))):
            yield "source.sha256: the hash of the archive is missing"


def _requirements(recipe: Mapping[str, Any]) -> Iterator[str]:
    sections = recipe.get("requirements", {})
    build = [str(spec) for spec in sections.get("build", ())]
    if any("compiler(" in spec for spec in build) and not any("stdlib(" in spec for spec in build):
        yield 'requirements.build: a compiler needs ${{ stdlib("c") }} beside it'
    for section, specs in sections.items():
        plain = [spec for spec in specs if isinstance(spec, str) and "${{" not in spec]
        for spec in plain:
            if not _SPEC.fullmatch(spec) or re.match(r"[\w.-]+[<>=!~]", spec):
                yield f'requirements.{section}: "{spec}" needs one space between name and version'
        names = [spec.split()[0] for spec in plain]
        yield from (
            f'requirements.{section}: "{name}" stands there twice'
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        )
    host = {spec.split()[0] for spec in sections.get("host", ()) if isinstance(spec, str)}
    by_pip = "-m pip " in str(recipe.get("build", {}).get("script", ""))
    if "python" in host and by_pip and "pip" not in host:
        yield "requirements.host: pip is missing, which installs the project"


def _rest(recipe: Mapping[str, Any]) -> Iterator[str]:
    name = str(recipe.get("package", {}).get("name", ""))
    if "${{" in name:
        name = str(recipe.get("context", {}).get("name", ""))
    if not _NAME.fullmatch(name):
        yield f'package.name: "{name}" has other characters than a-z, 0-9, "_", "-" and "."'
    if "number" not in recipe.get("build", {}):
        yield "build.number: it is missing"
    if not recipe.get("tests"):
        yield "tests: there is none"
    if not recipe.get("extra", {}).get("recipe-maintainers"):
        yield "extra.recipe-maintainers: nobody is named (--maintainer NAME)"
