"""A recipe that packs the finished stage: its own script would compile everything again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from diptych.errors import ConfigError
from diptych.recipes.handed import ELSEWHERE_VARIABLE, STAGE_VARIABLE, not_handed
from diptych.recipes.opening import open_recipe
from diptych.recipes.tools import TOOLS

# A wheel's script that is to run by the installing Python begins with "#!python" (binary distribution format).
_SCRIPT = f"""\
mkdir -p "$SP_DIR" && cp -R "${STAGE_VARIABLE}"/. "$SP_DIR"/
cp -R "${ELSEWHERE_VARIABLE}"/. "$PREFIX"/
for one in "${ELSEWHERE_VARIABLE}"/bin/*; do
  if [ -f "$one" ] && head -n 1 "$one" | grep -q '^#!python'; then
    sed "1s|^#!pythonw*|#!$PREFIX/bin/python|" "$one" > "$PREFIX/bin/${{one##*/}}"
  fi
done
"""
STAGE_SCRIPT = {
    "interpreter": "bash",
    "content": _SCRIPT,
    "env": {name: f'${{{{ env.get("{name}") }}}}' for name in (STAGE_VARIABLE, ELSEWHERE_VARIABLE)},
}
"""The script of a recipe that packs the finished stage, and what belongs elsewhere than site-packages."""


def staged_recipe(recipe: Path, *, source: Path, folder: Path, elsewhere: bool = False) -> Path:
    """Return a recipe that installs the stage named by DIPTYCH_STAGE.

    A recipe that asks for the variable itself is taken as it is. Of any other one, the script is replaced, the build
    environment left out, and of the source only the files that the recipe names are taken: licences, and what its tests need.
    What lies beside it comes along.

    Args:
        recipe: a recipe.yaml or a meta.yaml.
        source: the project.
        folder: an empty folder for what is written.
        elsewhere: there are files for other places than site-packages, below the folder that DIPTYCH_ELSEWHERE names.

    Returns:
        ``recipe``, or a recipe.yaml in ``folder``.

    Raises:
        ConfigError: it cannot be read, or not be converted; or it would leave out what belongs elsewhere, or copy something
            else than the stage.
    """
    import yaml  # noqa: PLC0415 -- not needed by a listing

    if recipe.name != "meta.yaml" and STAGE_VARIABLE in (text := _all_text(recipe)):
        _check_taken(recipe, text, elsewhere=elsewhere)
        return recipe
    opened = open_recipe(recipe)
    made = _with_stage(opened.recipe, recipe)
    if not source.is_relative_to(recipe.parent):
        shutil.copytree(recipe.parent, folder / "recipe", dirs_exist_ok=True, symlinks=True)
    if _copy_named(opened.recipe, source, folder / "source"):
        made["source"] = {"path": str(folder / "source")}
    target = folder / "recipe" / "recipe.yaml"
    target.parent.mkdir(exist_ok=True)
    (target.parent / "meta.yaml").unlink(missing_ok=True)
    target.write_text(yaml.safe_dump(made, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return target


def _check_taken(recipe: Path, text: str, *, elsewhere: bool) -> None:
    if elsewhere and ELSEWHERE_VARIABLE not in text:
        raise ConfigError(
            f'"{recipe}": it installs {STAGE_VARIABLE}, and the wheel also has files for other places than site-packages',
            hint=f'let it copy them too: cp -R "${ELSEWHERE_VARIABLE}"/. "$PREFIX"/',
        )
    if missing := not_handed(open_recipe(recipe).recipe, recipe.parent):
        raise ConfigError(
            f'"{recipe}": its script takes {" and ".join(missing)}, which would be empty there: rattler-build hands a script only'
            " the variables that its recipe declares",
            details=[f'{name}: ${{{{ env.get("{name}") }}}}' for name in missing],
            hint="declare it under build.script.env, as above",
        )


def _all_text(recipe: Path) -> str:
    """Return the recipe's text, and that of the script beside it."""
    script = recipe.with_name("build.sh")
    return "\n".join(
        one.read_text(encoding="utf-8", errors="replace") for one in (recipe, script) if one.is_file()
    )


def _with_stage(recipe: dict[str, Any], path: Path) -> dict[str, Any]:
    if "outputs" in recipe:
        raise ConfigError(
            f'"{path}": a recipe of several outputs cannot take a finished stage by itself',
            hint=f"let the output of the extension install ${STAGE_VARIABLE} when that is set",
        )
    build = recipe.get("build")
    kept = {
        name: value for name, value in (build if isinstance(build, dict) else {}).items() if name != "skip"
    }
    requirements = recipe.get("requirements")
    needed = {
        name: value
        for name, value in (requirements if isinstance(requirements, dict) else {}).items()
        if name != "build"
    }
    if isinstance(needed.get("host"), list):
        needed["host"] = [entry for entry in needed["host"] if not _is_tool(entry)]
    made = {**recipe, "build": {**kept, "script": STAGE_SCRIPT}, "requirements": needed}
    made.pop("source", None)
    return {"schema_version": 1, **made}


def _is_tool(entry: object) -> bool:
    """Tell whether an entry of the host section only builds: nothing is built, and a local channel may not have it."""
    name = entry.split()[0] if isinstance(entry, str) and entry.strip() else ""
    return name in TOOLS - {"python", "python_abi"}


def _copy_named(recipe: dict[str, Any], source: Path, folder: Path) -> bool:
    """Copy the files of the project that the recipe names; tell whether there are any."""
    about = recipe.get("about")
    named = [*_strings(about.get("license_file") if isinstance(about, dict) else None)]
    for test in recipe.get("tests") or ():
        files = test.get("files") if isinstance(test, dict) else None
        named += _strings(files.get("source") if isinstance(files, dict) else None)
    found = [path for one in named for path in _matches(source, one)]
    for path in found:
        target = folder / path.relative_to(source)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
    return bool(found)


def _strings(value: object) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _matches(source: Path, pattern: str) -> list[Path]:
    """Return what a relative path or glob names inside the project."""
    if "${{" in pattern or pattern.startswith("/") or ".." in Path(pattern).parts:
        return []
    return sorted(source.glob(pattern.rstrip("/") or "."))
