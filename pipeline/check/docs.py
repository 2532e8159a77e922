"""The Data Docs of Great Expectations, built from what a check found, and made to stay on this machine.

As written by the library, every page loads its styles and scripts from seven hosts and reports its time of making to an
eighth. Here those are cut, a style sheet of our own is put in their place, and random identifiers are numbered, so that
the pages open offline and come out the same every time. What a screen reader misses, the language and the name of a
link that was a picture, is added.
"""

import re
import shutil
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from pipeline.check.expectations import Rule
from pipeline.check.frames import context, expectation
from pipeline.check.report import POSITIONS_TOLD, Outcome, Report, TableReport
from pipeline.pages import TEMPLATES, render
from pipeline.workspace import whole_folder

SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
REMOTE = re.compile(r"<(?:link|img)\b[^>]*https?://[^>]*>", re.DOTALL)
REMOTE_STYLE = re.compile(r"url\('https?://[^']*'\)")
FOOTER = re.compile(r"<footer\b.*?</footer>", re.DOTALL)
NAMELESS = re.compile(r'(<a href="[^"]*index\.html">)\s*(</a>)')
IDENTIFIER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def write_docs(report: Report, as_of: datetime, folder: Path) -> None:
    """Write the Data Docs of a report into `folder`, whole or not at all; they hold counts and positions, no value."""
    with whole_folder(folder) as site:
        store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(site.resolve())}
        index = {"class_name": "DefaultSiteIndexBuilder"}
        builder = {"class_name": "SiteBuilder", "store_backend": store, "site_index_builder": index}
        here = context(data_docs_sites={"saakh": {**builder, "show_how_to_buttons": False}})
        for table in report.tables:
            _add(here, table, as_of)
        here.build_data_docs(site_names=["saakh"])
        shutil.rmtree(site / "static")
        style = (TEMPLATES / "data_docs.css").read_text(encoding="utf-8")
        for page in sorted(site.rglob("*.html")):
            page.write_text(offline(page.read_text(encoding="utf-8"), style), encoding="utf-8")
        # The library's own index is drawn by scripts from the network.
        links = [(t.table, len(t.broken), *_links(site, t.table)) for t in report.tables]
        (site / "index.html").write_text(render("data_docs.html.j2", tables=links), encoding="utf-8")


def offline(html: str, style: str) -> str:
    """The page without anything remote, with our style, fit for screen readers, its random identifiers numbered."""
    for pattern in (SCRIPT, REMOTE, REMOTE_STYLE, FOOTER):
        html = pattern.sub("", html)
    html = NAMELESS.sub(r"\1All tables\2", html.replace("<html>", '<html lang="en">', 1))
    numbers: dict[str, str] = {}
    fresh = count(1)
    html = IDENTIFIER.sub(lambda found: numbers.setdefault(found[0], str(next(fresh))), html)
    return html.replace("</head>", f"<style>\n{style}</style>\n</head>", 1)


def _links(site: Path, table: str) -> tuple[str, str]:
    """Where a table's results and its suite are, as seen from the index."""
    result = next((site / "validations" / table).rglob("*.html"))
    return result.relative_to(site).as_posix(), f"expectations/{table}.html"


def _add(here: Any, table: TableReport, as_of: datetime) -> None:
    """Put a table's suite and its results into the stores of a context."""
    from great_expectations import __version__  # noqa: PLC0415
    from great_expectations.core import (  # noqa: PLC0415
        ExpectationSuite,
        ExpectationSuiteValidationResult,
        RunIdentifier,
    )
    from great_expectations.data_context.types.resource_identifiers import (  # noqa: PLC0415
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    asked = [o for o in table.outcomes if o.is_checked]
    results = [_result(outcome) for outcome in asked]
    here.suites.add(ExpectationSuite(name=table.table, expectations=[expectation(o.rule) for o in asked]))
    run = RunIdentifier(run_name="check", run_time=as_of)
    suite = ExpectationSuiteIdentifier(table.table)
    key = ValidationResultIdentifier(expectation_suite_identifier=suite, run_id=run, batch_identifier="all")
    good = len(asked) - len(table.broken)
    statistics = {
        "evaluated_expectations": len(asked),
        "successful_expectations": good,
        "unsuccessful_expectations": len(table.broken),
        "success_percent": 100 * good / len(asked),
    }
    meta = {"run_id": run, "batch_kwargs": {"data_asset_name": table.table}, "great_expectations_version": __version__}
    whole = ExpectationSuiteValidationResult(
        success=not table.broken, results=results, suite_name=table.table, statistics=statistics, meta=meta
    )
    here.validation_results_store.add(key, whole)


def _result(outcome: Outcome) -> Any:
    from great_expectations.core import ExpectationValidationResult  # noqa: PLC0415

    # A rule about a table as a whole looks at no row; what it found are the elements then.
    elements = max(outcome.rows, outcome.faults, 1)
    share = 100 * outcome.faults / elements
    counts = {"element_count": elements, "unexpected_count": outcome.faults, "unexpected_percent": share}
    quiet = {"raised_exception": False, "exception_message": None, "exception_traceback": None}
    return ExpectationValidationResult(
        success=not outcome.faults,
        expectation_config=expectation(_located(outcome)).configuration,
        result={**counts, "unexpected_percent_total": share, "partial_unexpected_list": []},
        exception_info=quiet,
    )


def _located(outcome: Outcome) -> Rule:
    """The rule, its claim followed by where it broke, since the library's pages show positions only beside values."""
    first = ", ".join(map(str, outcome.columns or outcome.positions[:POSITIONS_TOLD]))
    if not first:
        return outcome.rule
    more = " …" if outcome.faults > POSITIONS_TOLD and outcome.positions else ""
    return replace(outcome.rule, claim=f"{outcome.rule.claim} — broken at {first}{more}")
