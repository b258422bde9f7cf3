"""The page in a real browser: opened from a file, filtered, a cell opened, by keyboard, on a phone, in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from diptych.cost import Benchmark, Cost, Costs, Shared
from diptych.report import document_of, page_of
from helpers.compare_pairs import Made, compared
from helpers.needs import needs_found
from helpers.report_browser import Browser, browser, find_browser

PROGRAM = find_browser()
pytestmark = needs_found(PROGRAM, "Chromium", package="chromium")
CELLS = [f"3.{minor}-{compiler}" for minor in range(10, 14) for compiler in ("gcc", "clang")]
ROWS = "document.querySelectorAll('.matrix tbody tr').length"
HEADING = "document.querySelector('h2').textContent"
COST = Cost(
    install_seconds=2,
    import_seconds=0.1,
    load_seconds=0.0015,
    loaded=4,
    own=5000,
    shared=(Shared(name="numpy", version="2.1", size=2_000_000),),
    benchmark=Benchmark(seconds=1.5, numbers={"fit, ms": 12.5}),
)
COSTS = Costs(
    left=COST, right=replace(COST, import_seconds=0.2, load_seconds=None), command="python bench.py"
)
# Relative luminance and contrast as WCAG 2.2 defines them.
CONTRAST = """
(() => {
  const part = (value) => { value /= 255; return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
  const light = (hex) => [1, 3, 5].map((at) => part(parseInt(hex.slice(at, at + 2), 16)))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const ratio = (one, other) => { const [a, b] = [light(one), light(other)].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); };
  const bands = ['--good-tint', '--warn-tint', '--bad-tint'];
  const tinted = {'--ink': [...bands, '--side0-tint', '--side1-tint'], '--quiet': ['--side0-tint', '--side1-tint'],
    '--good': ['--good-tint'], '--warn': ['--warn-tint'], '--bad': ['--bad-tint']};
  return ['--ink', '--quiet', '--link', '--good', '--warn', '--bad'].flatMap((name) =>
    ['--ground', '--raised', ...(tinted[name] ?? [])].map((under) => [name, under, ratio(colour(name), colour(under))]));
})()
"""


def summary(made: Made) -> None:
    made.conda.about["summary"] = "Three leaves"


def long_licence(made: Made) -> None:
    made.conda.about["license"] = "As you like. " * 40


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "odd").mkdir()
    plain, odd = compared(folder), compared(folder / "odd", summary)
    cells = [
        replace(
            odd if cell == "3.12-clang" else plain,
            cell=cell,
            facts={"times": {}, **({"cost": COSTS.to_json()} if cell == "3.12-clang" else {})},
        )
        for cell in CELLS
    ]
    path = folder / "index.html"
    path.write_text(page_of(document_of(cells, project="pair")), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(str(PROGRAM), tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def tab(started: Browser, page: Path) -> Iterator[Browser]:
    """A fresh view of the page; whatever the test did, the console is silent at its end."""
    started.size(1200, 900)
    started.media()
    started.open("about:blank")
    started.open(page.as_uri())
    started.wait(f"{ROWS} === {len(CELLS)}")
    yield started
    assert started.faults == []


def test_search_and_verdict_narrow_the_matrix(tab: Browser) -> None:
    tab.press("/")
    assert tab.run("document.activeElement.id") == "search"
    tab.type("gcc")
    tab.wait(f"{ROWS} === 4")
    assert tab.run("document.querySelector('output').textContent") == "4 of 8 shown"
    tab.run(
        "document.getElementById('search').value = ''; "
        "document.getElementById('search').dispatchEvent(new Event('input', {bubbles: true}))"
    )
    tab.run(
        "const verdict = document.getElementById('verdict'); verdict.value = 'drift'; "
        "verdict.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    tab.wait(f"{ROWS} === 1")
    assert tab.run("document.querySelector('.matrix tbody th').textContent") == "3.12-clang"


def test_a_finding_s_words_are_found(tab: Browser) -> None:
    tab.press("/")
    tab.type("three leaves")
    tab.wait(f"{ROWS} === 1")


def test_a_cell_opens_and_its_address_leads_back(tab: Browser, page: Path) -> None:
    tab.run("[...document.querySelectorAll('.matrix a')].find((a) => a.textContent === '3.12-clang').click()")
    tab.wait(f"{HEADING}.includes('3.12-clang')")
    assert tab.run("location.hash") == "#cell=3.12-clang"
    assert "DIP844" in tab.run("document.querySelector('.findings').textContent")
    links = tab.run("[...document.querySelectorAll('.findings a')].map((one) => one.href)")
    assert "https://diptych.example/docs/reference/compare-rules.html#dip844" in links
    assert tab.run("document.querySelectorAll('.picture svg .node').length") == 6
    tab.open("about:blank")
    tab.open(f"{page.as_uri()}#cell=3.12-clang")
    assert "3.12-clang" in tab.run(HEADING)


def test_measured_figures_stand_side_by_side(tab: Browser) -> None:
    titles = "[...document.querySelectorAll('.bars figcaption')].map((one) => one.textContent)"
    assert {"Import", "The project's benchmark"} <= set(tab.run(titles))
    tab.run("location.hash = '#cell=3.12-clang'")
    tab.wait(f"{HEADING}.includes('3.12-clang')")
    rows = tab.run("""Object.fromEntries([...document.querySelectorAll('.costs tbody tr:not(.group)')].map((row) =>
        [row.querySelector('th').firstChild.textContent, [...row.querySelectorAll('td')].map((one) => one.textContent)]))""")
    assert rows["import"] == ["100 ms", "200 ms", "0.5 : 1"]
    assert rows["load"] == ["1.50 ms", "\u2013", "\u2013"]
    assert rows["with shared packages"] == ["2.0 MB", "2.0 MB", "≈ 1"]
    assert rows["fit, ms"] == ["12.5", "12.5", "≈ 1"]
    tab.run("location.hash = '#cell=3.10-gcc'")
    tab.wait(f"{HEADING}.includes('3.10-gcc')")
    assert "--measure" in tab.run("document.querySelector('#cost').textContent")


def test_an_address_leads_to_a_part_of_a_cell_and_to_a_search(tab: Browser, page: Path) -> None:
    tab.open("about:blank")
    tab.open(f"{page.as_uri()}#cell=3.12-clang&at=files")
    tab.wait("Math.abs(document.getElementById('files').getBoundingClientRect().top) < innerHeight / 2")
    parts = "[...document.querySelectorAll('nav.parts a')].map((one) => one.hash)"
    assert "#cell=3.12-clang&at=cost" in tab.run(parts)
    dangling = """[...document.querySelectorAll('nav.parts a')].filter((one) =>
        !document.getElementById(new URLSearchParams(one.hash.slice(1)).get('at'))).length"""
    assert tab.run(dangling) == 0
    tab.open("about:blank")
    tab.open(f"{page.as_uri()}#search=clang&verdict=drift")
    tab.wait(f"{ROWS} === 1")
    tab.run(
        "document.getElementById('search').value = 'gcc'; "
        "document.getElementById('search').dispatchEvent(new Event('input', {bubbles: true}))"
    )
    tab.wait("location.hash === '#search=gcc&verdict=drift'")


def test_the_page_of_two_packages_has_its_parts_too(tab: Browser, tmp_path: Path) -> None:
    pair = tmp_path / "pair.html"
    pair.write_text(page_of(document_of([compared(tmp_path, long_licence)])), encoding="utf-8")
    tab.size(1200, 500)
    tab.open("about:blank")
    tab.open(pair.as_uri())
    tab.wait(f"{HEADING}.includes('pair-1.2')")
    assert tab.run("document.querySelector('.diptych details.long').open") is False
    for part in ("differences", "files", "panels"):
        tab.run(f"document.querySelector('nav.parts a[href$=\"at={part}\"]').click()")
        tab.wait(
            f"Math.abs(document.getElementById('{part}').getBoundingClientRect().top) < 100 || "
            "scrollY + innerHeight > document.documentElement.scrollHeight - 2"
        )


def test_keys_go_through_the_cells(tab: Browser) -> None:
    tab.run("location.hash = '#cell=3.10-gcc'")
    tab.wait(f"{HEADING}.includes('3.10-gcc')")
    tab.press("n")
    tab.wait(f"{HEADING}.includes('3.10-clang')")
    tab.press("p")
    tab.wait(f"{HEADING}.includes('3.10-gcc')")
    tab.press("Escape")
    tab.wait(f"{ROWS} === {len(CELLS)}")


def test_an_unknown_cell_is_said(tab: Browser) -> None:
    tab.run("location.hash = '#cell=2.7-tcc'")
    tab.wait("document.querySelector('[role=alert]')?.textContent.includes('2.7-tcc')")


def test_every_control_and_picture_has_a_name(tab: Browser) -> None:
    tab.run("location.hash = '#cell=3.10-gcc'")
    tab.wait(f"{HEADING}.includes('3.10-gcc')")
    nameless = """[...document.querySelectorAll('input, select, svg[role=img], [role=region]')].filter((one) =>
        !one.labels?.length && !one.getAttribute('aria-label') && !one.getAttribute('aria-labelledby')).length"""
    assert tab.run(nameless) == 0
    assert tab.run("document.querySelectorAll('h1').length") == 1
    landmarks = "[...document.querySelectorAll('[role=region], section, nav')].map((one) => one.ariaLabel)"
    names = tab.run(landmarks)
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(scheme: str, tab: Browser) -> None:
    tab.media(scheme=scheme)
    ground = tab.run("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
    assert [row for row in tab.run(CONTRAST) if row[2] < 4.5] == []


@pytest.mark.parametrize("address", ["", "#cell=3.12-clang"], ids=["matrix", "cell"])
def test_a_phone_needs_no_sideways_scrolling(address: str, tab: Browser, page: Path) -> None:
    tab.size(360, 780, mobile=True)
    tab.open("about:blank")
    tab.open(f"{page.as_uri()}{address}")
    tab.wait("document.querySelector('h2') !== null")
    assert tab.run("document.documentElement.scrollWidth") <= 360


def test_print_hides_the_controls(tab: Browser) -> None:
    tab.media(kind="print")
    shown = (
        "[...document.querySelectorAll('.filter, .theme, footer')].filter((one) => one.offsetHeight).length"
    )
    assert tab.run(shown) == 0


def test_paper_shows_what_the_screen_folds(tab: Browser, tmp_path: Path) -> None:
    tab.run("location.hash = '#cell=3.12-clang'")
    tab.wait(f"{HEADING}.includes('3.12-clang')")
    closed = "document.querySelectorAll('details:not([open])').length"
    before = tab.run(closed)
    tab.run("window.dispatchEvent(new Event('beforeprint'))")
    assert (before > 0, tab.run(closed)) == (True, 0)
    tab.run("window.dispatchEvent(new Event('afterprint'))")
    assert tab.run(closed) == before
    tab.pdf(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_nothing_is_fetched(tab: Browser) -> None:
    assert (
        tab.run(
            "performance.getEntriesByType('resource').filter((one) => !one.name.startsWith('data:')).length"
        )
        == 0
    )
