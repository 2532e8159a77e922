"""The catalogue of features for people: lists, facts, SQL, a Markdown file, a page, and a start for a new feature."""

from pathlib import Path

from features.catalogue import all_features, named
from features.declare import Feature
from pipeline.catalogue.declared import RISK, facts
from pipeline.catalogue.markdown import markdown
from pipeline.catalogue.sql import sql
from pipeline.console import out, progress
from pipeline.params import Params
from pipeline.workspace import write_text
from saakh.errors import ConfigError
from saakh.spec import FAMILIES

__all__ = ["facts", "markdown", "print_feature", "print_list", "print_sql", "write_docs", "write_page"]


def print_list(family: str | None) -> None:
    """Print the features, or those of one family."""
    if family is not None and family not in FAMILIES:
        raise ConfigError(f"no family '{family}'; the families are {', '.join(FAMILIES)}")
    rows = [("feature", "family", "windows", "risk", "what it measures")]
    rows += [_listed(f) for f in all_features() if family in (None, f.family)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:  # never cut to the width of a screen, for what is piped is read by programs
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        out.print(line.rstrip(), markup=False, soft_wrap=True)


def _listed(feature: Feature) -> tuple[str, str, str, str, str]:
    windows = " ".join(f"{w}d" for w in feature.windows) or "all"
    return feature.name, feature.family, windows, RISK[feature.risk], feature.description


def print_feature(name: str) -> None:
    """Print one feature's page."""
    feature = named(name)
    out.print(feature.name, style="bold")
    for label, value in facts(feature).items():
        out.print(f"  [cyan]{label:<12}[/cyan]", end=" ")
        out.print(value, markup=False, highlight=False, soft_wrap=True)


def print_sql(name: str, dialect: str) -> None:
    """Print one feature's SQL, or what of it a column needs."""
    out.print(sql(named(name), dialect, name).rstrip(), markup=False, highlight=False, soft_wrap=True)


def write_docs(path: Path) -> None:
    """Write the catalogue as Markdown, generated from the declarations alone."""
    write_text(path, markdown())
    out.print(f"Wrote {path}")


def write_page(path: Path, params: Params | None) -> None:
    """Write the catalogue as a page; with the parameters of a run, with what it measured."""
    from pipeline.catalogue.measured import measured  # noqa: PLC0415 - heavy
    from pipeline.catalogue.page import page  # noqa: PLC0415

    run = None if params is None else measured(params)
    with progress("features") as tell:
        write_text(path, page(run, tell=tell))
    told = "without distributions; name a run with --params to add them" if run is None else f"with those of {run.name}"
    out.print(f"Wrote {path}, {told}")
