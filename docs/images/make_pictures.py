"""Run commands in this checkout and draw what they print: the pictures of the pages, docs/images/NAME.svg.

Usage: python docs/images/make_pictures.py [NAME…]; without names all. ``compare`` and ``report`` want built cells: nox -s build-3.11.
``report`` writes docs/images/report.json, the document of the example report that the site shows.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[2]
IMAGES = Path(__file__).parent
WIDTH = 104
MOST_LINES = {"why-tag": 24}
HIDDEN = ("nox > ", "  note:")
# A wheel of PyPI with a finding (docs/reference/survey-notes.md).
WHEEL = "shapely==2.2.0"
COMMANDS = {
    "build": "nox -t here",
    "compare": "diptych compare",
    "doctor": "diptych doctor {wheel}",
    "why-tag": "diptych why-tag {wheel}",
    "explain": "diptych explain DIP301",
    "plan": "diptych plan",
}


def main(names: list[str]) -> None:
    """Draw the pictures of these names."""
    with tempfile.TemporaryDirectory(prefix="diptych-pictures-") as folder:
        place = Path(folder)
        for name in names or [*COMMANDS, "report"]:
            if name == "report":
                write_report()
            else:
                draw(name, COMMANDS[name], place)


def draw(name: str, command: str, folder: Path) -> None:
    """Run one command and write its picture; programs are those beside this Python."""
    tools = Path(sys.executable).parent
    env = {
        **os.environ,
        "FORCE_COLOR": "1",
        "COLUMNS": str(WIDTH),
        "CI": "1",
        "PATH": f"{tools}:{os.environ['PATH']}",
    }
    where = ROOT
    if "{wheel}" in command:
        where = folder
        download = "pip download -q --no-deps --only-binary :all: --python-version 3.12 --platform manylinux_2_28_x86_64"
        subprocess.run([*download.split(), WHEEL], cwd=folder, env=env, check=True)
        command = command.format(wheel=next(folder.glob("*.whl")).name)
    run = subprocess.run(command.split(), cwd=where, env=env, capture_output=True, text=True, check=False)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {command}", style="bold"), soft_wrap=True)
    texts = [Text.from_ansi(line) for line in (run.stdout or run.stderr).splitlines()]
    shown = [text for text in texts if not text.plain.startswith(HIDDEN)]
    most = MOST_LINES.get(name, len(shown))
    for text in [*shown[:most], *([Text("…")] if len(shown) > most else [])]:
        console.print(text, soft_wrap=True)
    file = IMAGES / f"{name}.svg"
    console.save_svg(str(file), title="diptych", unique_id=name)
    file.write_text(
        re.sub(r" +$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE), encoding="utf-8"
    )
    print(f"{file.name}: exit {run.returncode}, {file.stat().st_size} bytes")  # noqa: T201 -- run by hand


def write_report() -> None:
    """Write the document behind the example report, without what belongs to this machine."""
    tool = Path(sys.executable).parent / "diptych"
    run = subprocess.run(
        [tool, "compare", "--measure", "--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    document = json.loads(run.stdout.replace(str(ROOT), "/home/you/rigidalign"))
    document["missing"] = []
    text = json.dumps(document, separators=(",", ":"), sort_keys=True)
    (IMAGES / "report.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
