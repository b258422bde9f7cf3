"""The site of these pages: ``nox -s docs``. Sphinx reads the same Markdown that GitHub shows."""

import json
import re
from pathlib import Path

from sphinx.application import Sphinx

from diptych import __version__
from diptych.report import page_of

project = "Diptych"
copyright = "the Diptych authors"  # noqa: A001 -- Sphinx's name for it
version = release = __version__
extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Diptych {__version__}"
html_static_path = ["_static"]
html_css_files = ["wide-tables.css"]
# Links such as table.md#tooldiptychbenchmark mean GitHub's anchors of headings.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]
# Diagrams and output carry no language; a guess would only be wrong.
highlight_language = "none"
copybutton_exclude = ".linenos, .gp, .go"
nitpicky = True
linkcheck_ignore = [r"https://diptych\.example/.*"]  # stands in until the site has an address

_ANCHOR = re.compile(r'^(#+ )<a id="([\w-]+)"></a>', re.MULTILINE)


def _targets(_app: object, _name: str, source: list[str]) -> None:
    """Make Sphinx's targets of the anchors that GitHub needs in front of a rule's heading."""
    source[0] = _ANCHOR.sub(r"(\2)=\n\1", source[0])


def _example_report(app: Sphinx, error: Exception | None) -> None:
    """Write the example report that read-the-report.md links to, with the page as it is now."""
    if error is None and app.builder.name == "html":
        document = json.loads((Path(app.srcdir) / "images" / "report.json").read_text(encoding="utf-8"))
        (Path(app.outdir) / "example-report.html").write_text(page_of(document), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Register what this file adds."""
    app.connect("source-read", _targets)
    app.connect("build-finished", _example_report)
