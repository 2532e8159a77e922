"""The report as one HTML page that needs no network, and no script to be read."""

import re

from markupsafe import Markup, escape

from pipeline.pages import render
from pipeline.validate.document import LEVELS, Figure, Table, heading
from pipeline.validate.report import Report


def page(report: Report, digest: str) -> str:
    """The page of a report; `digest` is that of its JSON."""
    return render(
        "validate.html.j2",
        report=report,
        digest=digest,
        levels=LEVELS,
        heading=heading,
        kind_of=lambda block: "text" if isinstance(block, str) else "table" if isinstance(block, Table) else "facts",
        coded=coded,
        is_figure=lambda cell: isinstance(cell, Figure),
    )


def coded(text: str) -> Markup:
    """A text in which what stands between backticks is set as code."""
    return Markup(re.sub("`([^`]*)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped
