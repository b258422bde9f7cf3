"""After any edit, a run with what earlier runs kept gives the bytes of a run that finds nothing kept.

``DIPTYCH_EDITS=50`` makes as many edits as that, one after the other; ``DIPTYCH_EDITS_SEED`` chooses others.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from diptych.store import sha256_file
from helpers.checkout import HERE, Checkout, adopted
from helpers.edits import RECIPE, TABLE, Edits

# What is no result of a stage: made from the machine and from downloads alone, and slow to make.
_GIVEN = ("channel", "wheels", "backends", "hosts", "home")


def packages(project: Checkout, variables: dict[str, str]) -> dict[str, str]:
    """Build, and return the hash of each package that is left."""
    shutil.rmtree(project.root / "dist", ignore_errors=True)
    done = project.nox("-s", f"build-{HERE}", **variables)
    assert done.returncode == 0, done.output
    return {path.name: sha256_file(path) for path in project.packages}


def packages_of_nothing_kept(project: Checkout, variables: dict[str, str]) -> dict[str, str]:
    """Build with the results of all stages out of the way, and put them back."""
    store, aside = project.root / ".diptych", project.root.parent / "aside"
    store.rename(aside)
    store.mkdir()
    for name in _GIVEN:
        if (aside / name).exists():
            (aside / name).rename(store / name)
    found = packages(project, variables)
    for name in _GIVEN:
        if (store / name).exists():
            (store / name).rename(aside / name)
    shutil.rmtree(store)
    aside.rename(store)
    return found


def test_kept_results_are_those_of_a_run_without_them(tmp_path: Path, env: dict[str, str]) -> None:
    root = tmp_path / "fractional"
    project = adopted("setuptools-c", root, TABLE.format(python=HERE), env)
    (root / "conda").mkdir()
    (root / "conda/recipe.yaml").write_text(RECIPE)
    draw = random.Random(env.get("DIPTYCH_EDITS_SEED", "diptych"))
    edits = Edits(root=root, draw=draw)
    packages(project, {})
    made = []
    for number in range(int(env.get("DIPTYCH_EDITS", "2"))):
        made.append(edits.one(number))
        kept = packages(project, edits.variables)
        assert kept == packages_of_nothing_kept(project, edits.variables), made
