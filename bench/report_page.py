"""How large the page of a matrix is, and how soon a browser shows and filters it: `python bench/report_page.py [CELLS]`.

The cells are the built ones of this checkout (`nox -t build`), repeated under other names until there are CELLS (32).
"""

from __future__ import annotations

import platform
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "ci"), str(ROOT / "tests")]

from diptych.output import Output  # noqa: E402 -- as above
from diptych.report import document_of, page_of  # noqa: E402 -- as above
from diptych.report.gather import gather  # noqa: E402 -- as above
from diptych.workspace import open_workspace  # noqa: E402 -- as above
from helpers.report_browser import Browser, browser, find_browser  # noqa: E402 -- after the path

RUNS = 7
FILTER = """
new Promise((done) => {
  const box = document.getElementById('search');
  const start = performance.now();
  box.value = 'gcc';
  box.dispatchEvent(new Event('input', {bubbles: true}));
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
})
"""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 32
    env = {"NO_COLOR": "1"}
    workspace = open_workspace(ROOT, env=env, machine=platform.machine(), output=Output(env=env))
    started = time.perf_counter()
    built = gather(workspace).comparisons
    compared = time.perf_counter() - started
    cells = [
        replace(one, cell=f"3.{10 + index}-{one.cell.partition('-')[2]}")
        for index, one in enumerate(islice(cycle(built), count))
    ]
    started = time.perf_counter()
    page = page_of(document_of(cells, project=workspace.config.project.name))
    wrote = time.perf_counter() - started
    print(f"{len(built)} cells compared in {compared:.2f} s; document and page of {count} in {wrote:.2f} s")
    print(f"page: {len(page.encode()) / 1e3:.0f} kB")
    program = find_browser()
    if program is None:
        sys.exit("no Chromium here: nothing to open it with")
    with tempfile.TemporaryDirectory() as folder, browser(program, Path(folder) / "profile") as tab:
        path = Path(folder) / "index.html"
        path.write_text(page, encoding="utf-8")
        tab.size(1300, 1000)
        opened = [opening(tab, path.as_uri(), count) for _ in range(RUNS)]
        filtered = [float(tab.run(FILTER)) for _ in range(RUNS)]
        print(
            f"opens in {statistics.median(opened):.0f} ms (first {opened[0]:.0f} ms), all rows there and painted"
        )
        print(
            f"filters in {statistics.median(filtered):.0f} ms (worst {max(filtered):.0f} ms), until painted"
        )
        print(f"console: {tab.faults or 'silent'}")


def opening(tab: Browser, url: str, count: int) -> float:
    tab.open("about:blank")
    started = time.perf_counter()
    tab.open(url)
    tab.wait(f"document.querySelectorAll('.matrix tbody tr').length === {count}")
    tab.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
