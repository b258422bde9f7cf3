"""Run ``nox -t here`` in this checkout and draw what it printed: docs/images/build.svg, the picture of the README.

Usage: python docs/images/make_build_picture.py
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[2]
WIDTH = 104
HIDDEN = ("nox > uv binary", "nox > Running session", "nox > Session ", "nox > Ran ", "nox > * ", "  note:")


def main() -> None:
    """Draw the picture."""
    env = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "CI": "1"}
    nox = Path(sys.executable).parent / "nox"
    run = subprocess.run([nox, "-t", "here"], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ nox -t here", style="bold"))
    for line in run.stdout.splitlines():
        text = Text.from_ansi(line)
        if not text.plain.startswith(HIDDEN):
            console.print(text, soft_wrap=True)
    console.save_svg(str(Path(__file__).with_name("build.svg")), title="diptych")


if __name__ == "__main__":
    main()
