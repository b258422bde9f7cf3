"""The recipe of `diptych recipe`, built from the sdist by plain rattler-build, gives the same code as our own package."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from diptych import channel, process
from diptych.packages.lint import lint
from diptych.store import Store, sha256_file
from helpers.checkout import HERE, Checkout
from helpers.plain_build import build, stand_ins

pytestmark = pytest.mark.skipif(
    not Path("/lib/x86_64-linux-gnu/libc.so.6").exists(),
    reason="needs Debian's layout, which the stand-ins are made on",
)


def test_plain_rattler_build_gives_equal_code(built: Checkout, tmp_path: Path) -> None:
    made = process.run(
        [sys.executable, "-m", "build", "--sdist", "--outdir", tmp_path, "project"],
        env=built.env,
        cwd=built.root,
    )
    assert made.returncode == 0
    (sdist,) = tmp_path.glob("*.tar.gz")
    words = ("--sdist", str(sdist), "--url", sdist.as_uri(), "--maintainer", "somebody")
    done = built.diptych("recipe", *words)
    assert done.returncode == 0, done.output
    assert "iptych" not in done.output
    recipe = tmp_path / "recipe" / "recipe.yaml"
    recipe.parent.mkdir()
    recipe.write_text(done.output, encoding="utf-8")
    values = yaml.safe_load(done.output)
    assert values["source"] == {"url": sdist.as_uri(), "sha256": sha256_file(sdist)}
    assert lint(values) == []

    root = built.root / ".diptych" / "channel"
    store = Store(root=built.root / ".diptych")
    host = ["scikit-build-core", "pip", "pytest", "numpy"]
    local = channel.ensure(host, python=HERE, root=root, store=store, env=built.env, say=print)
    env = {**built.env, "RATTLER_CACHE_DIR": str(tmp_path / "cache")}
    channels = [stand_ins(tmp_path / "stand-ins"), local.url]
    package = build(recipe, tmp_path / "out", python=HERE, channels=channels, env=env)

    found = json.loads(built.diptych("compare", "--json", str(built.packages[1]), str(package)).output)
    (cell,) = found["cells"]
    assert [one["message"] for one in cell["findings"] if one["code"] == "DIP801"] == []
    assert cell["code"]["equal"] == cell["code"]["sections"] > 20
