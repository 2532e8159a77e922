"""How `make docs` makes one site of the repository's Markdown, the command reference and the catalogue, with Sphinx.

The pages read on a code host as they are. What such a host cannot do is added here: the tree of the site, which is that
of the links in `docs/index.md`; the reference of the commands, taken from the command line itself; and, with the tag
`whole`, the searchable catalogue and the report of the workspace, if it has one.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from sphinx.application import Sphinx
from typer.cli import get_docs_for_click

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the site is of this checkout

from pipeline.catalogue.page import page
from pipeline.cli import app as command_line
from pipeline.params import read_params

project = "Saakh"
html_title = "Saakh"
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "data/**.md", "tests/spec/**.md"]
exclude_patterns = [".*", "build", "dist", "node_modules", "data/raw", "data/oracle", "data/sample", "data/kenya_gps"]
html_theme = "furo"
html_copy_source = False
html_show_copyright = False
myst_heading_anchors = 4
nitpicky = True
REPORTS = ("explain/report.html", "monitor/monitor.html", "optimise/optimise.html", "check/check.html")
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
PAGE = re.compile(r"\]\(([\w./-]+)\.md\)")


def setup(app: Sphinx) -> None:
    """Complete pages as they are read, and put beside them what is no Markdown."""
    app.connect("source-read", _completed)
    app.connect("html-page-context", _levelled, priority=900)  # after the theme has drawn the tree
    app.connect("build-finished", _beside)


def _completed(app: Sphinx, name: str, source: list[str]) -> None:
    if name == root_doc:
        source[0] += "\n".join([_made(app), *_trees(source[0])])
    elif name == "docs/commands":
        source[0] += commands()
    elif name == "tests/spec/README":
        source[0] += "\n" + _tree("Worked by hand", ["*/*"])


def commands() -> str:
    """The reference of every command, in Markdown, out of the command line's own declarations."""
    group = typer.main.get_command(command_line)
    told = get_docs_for_click(obj=group, ctx=typer.Context(group), indent=1, name="saakh", title="All commands")
    return "\n" + told


def _trees(index: str) -> Iterator[str]:
    """A tree of pages for each chapter of the index: those that it links to."""
    _, *chapters = HEADING.split(index)
    for heading, text in zip(chapters[::2], chapters[1::2], strict=True):
        if pages := PAGE.findall(text):
            yield _tree(heading, pages)


def _tree(caption: str, pages: list[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", ":glob:", f":caption: {caption}", "", *pages, "```", ""])


def _levelled(_app: Sphinx, _name: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    """Tell screen readers the level of the tree's captions, which Sphinx leaves out."""
    drawn = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = drawn.replace('role="heading"', 'role="heading" aria-level="2"')


def _reports() -> list[Path]:
    """The pages about the sample run, of those that may be passed around; none before `make demo`."""
    workspace = ROOT / read_params(ROOT / "params.yaml").workspace
    return [workspace / name for name in REPORTS if (workspace / name).is_file()]


def _made(app: Sphinx) -> str:
    """Links to the pages that are put beside these."""
    if not app.tags.has("whole"):
        return ""
    links = {"catalogue.html": "the catalogue, to search and filter"}
    links |= {path.name: f"{path.stem} of the sample run" for path in _reports()}
    items = [f'<li><a href="../{file}">{text}</a></li>' for file, text in links.items()]
    return "\n".join(["\n## Made with this site\n", "<ul>", *items, "</ul>\n"])


def _beside(app: Sphinx, error: Exception | None) -> None:
    """The way in from the site's root, and the pages that are made by other commands."""
    out = Path(app.outdir)
    if error is not None:
        return
    way = f'<meta http-equiv="refresh" content="0; url={root_doc}.html">'
    text = f'<!doctype html><html lang="en"><title>Saakh</title>{way}<a href="{root_doc}.html">Saakh</a></html>\n'
    (out / "index.html").write_text(text, encoding="utf-8")
    if app.tags.has("whole"):
        (out / "catalogue.html").write_text(page(), encoding="utf-8")
        for path in _reports():
            shutil.copyfile(path, out / path.name)
