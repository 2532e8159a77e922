"""How a page is made: one HTML file that asks the network for nothing, and one way to write each kind of number."""

import base64
import hashlib
import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

TEMPLATES = Path(__file__).parent / "templates"
NOTHING = "–"
MINUS = "−"
SMALLEST_CELL = 10


def render(template: str, beside: str = "", **content: Any) -> str:
    """A page from its template, style sheet and script inlined, under a policy that refuses every request.

    `beside` names what a page adds to the common style and script: `catalogue` adds `catalogue.css` and `catalogue.js`.
    """
    own = ("page", beside) if beside else ("page",)
    style, script = ("".join(_file(f"{name}.{kind}") for name in own) for kind in ("css", "js"))
    return (
        _environment()
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704 - our own files
            script=Markup(script),  # noqa: S704
            content_security_policy=_policy(script),
            **content,
        )
    )


def text(template: str, **content: Any) -> str:
    """A text, as Markdown, from its template: nothing in it is escaped."""
    return str(_environment().overlay(autoescape=False).get_template(template).render(**content)).lstrip("\n") + "\n"


def _file(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Nothing may be loaded, and no script runs but the page's own, named by its digest."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FORMATS)
    return environment


def number(value: float | None, digits: int = 3) -> str:
    """A plain number: `0.712`, `1,234.5`; `–` where there is none."""
    return NOTHING if value is None else _minus(f"{value:,.{digits}f}")


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage: `8.3 %`, with a space that does not break."""
    return NOTHING if share is None else f"{number(100 * share, digits)}\u00a0%"


def signed(value: float, digits: int = 1) -> str:
    """A change, its sign always shown: `+4.2`, `−0.7`; nothing to the last digit has no sign."""
    rounded = round(value, digits)
    return number(0.0, digits) if rounded == 0 else _minus(f"{rounded:+,.{digits}f}")


def cell(count: int) -> str:
    """A number of people fit for a page that is passed around: 1 to 9 read `< 10`."""
    return f"<\u00a0{SMALLEST_CELL}" if 0 < count < SMALLEST_CELL else f"{count:,}"


def short(value: float | None) -> str:
    """A value in three significant digits: `0.0123`, `17`, `4.56k`, `1.2M`; `none` where there is none."""
    if value is None or math.isnan(value):
        return "none"
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    for least, unit, suffix in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(rounded) >= least:
            return _minus(f"{rounded / unit:.3g}{suffix}")
    return _minus(f"{rounded:,.0f}" if abs(rounded) >= 1000 else f"{rounded:.3g}")


def day(moment: str) -> str:
    """An ISO moment as a date: `1 June 2026`."""
    at = datetime.fromisoformat(moment)
    return f"{at.day} {at:%B %Y}"


def month(moment: str) -> str:
    """An ISO month as it is spoken of: `February 2026`."""
    return f"{datetime.fromisoformat(f'{moment}-01'):%B %Y}"


def words(name: str) -> str:
    """A name in words: `life_stage` is `life stage`."""
    return name.replace("_", " ")


def breakable(name: str) -> Markup:
    """A column name that may break after an underscore, never inside a word."""
    return escape(name).replace("_", Markup("_<wbr>"))


def _minus(text: str) -> str:
    return text.replace("-", MINUS)


FORMATS: dict[str, Callable[..., str]] = {
    f.__name__: f for f in (number, percent, signed, cell, short, day, month, words, breakable)
}
