"""Optimise: search the cut-offs and limits of the lender's own loan on scored applications, and draw what can be had.

Searched on applications scored out of fold, judged on later ones. What is written is a strategy for the lending terms,
to be tried as a challenger by whoever answers for them; nothing is put in force.
"""

from dataclasses import asdict
from typing import Any

import yaml

from models.arrays import Flags
from pipeline.lending import read_terms
from pipeline.optimise.book import figures, lend
from pipeline.optimise.books import read_books
from pipeline.optimise.cells import Bounds
from pipeline.optimise.frontier import drawing, frontier, swaps
from pipeline.optimise.search import best_flat, optimised
from pipeline.pages import render
from pipeline.params import Params
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, write_json, write_text
from saakh.terms import Lender, Strategy, Terms


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write `optimise/strategy.yaml`, `optimise.json` and `optimise.html`."""
    with timed("optimise") as summary:
        terms = read_terms(params.decide.terms)
        lender, asked = own(terms), params.optimise
        (earlier, _), (later, is_bad) = read_books(params, ws)
        tell("searching", 0, 3)
        single, alone = best_flat(earlier, lender, asked.pd_slope)
        bounds = Bounds(asked.bad_rate_max or alone.bad_rate, asked.approval_min, asked.ratio_min)
        sizes = (asked.amounts_minor, asked.limits_minor)
        found, reached = optimised(earlier, lender, *sizes, bounds, asked.pd_slope)
        tell("drawing the frontier", 1, 3)
        points = frontier(earlier, lender, *sizes, asked.pd_slope)
        judged = {s.name: lend(later, lender, s, asked.pd_slope) for s in (terms.champion, single, found)}
        moved = swaps(later, judged[terms.champion.name], judged[found.name], is_bad)
        account: dict[str, Any] = {
            "terms": f"{terms.name} {terms.version}",
            "lender": lender.name,
            "bounds": asdict(bounds),
            "searched_on": {"applications": len(earlier), "flat": asdict(alone), "optimised": asdict(reached)},
            "judged_on": {
                "applications": len(later),
                **{
                    name: asdict(figures(later, lent)) | {"observed_bad_rate": _observed(lent.is_lent, is_bad)}
                    for name, lent in judged.items()
                },
            },
            "strategy": written(found),
            "swaps": [asdict(s) for s in moved],
            "frontier": [asdict(p) for p in points],
        }
        folder = ws.stage("optimise")
        write_json(folder / "optimise.json", account)
        write_text(folder / "strategy.yaml", yaml.safe_dump(written(found), sort_keys=False))
        page: dict[str, Any] = {"params": params, "terms": terms, "lender": lender, "account": account}
        page |= {"chart": drawing(points, terms.minor_per_unit), "strategy": found, "champion": terms.champion.name}
        write_text(folder / "optimise.html", render("optimise.html.j2", **page))
        summary.rows_in, summary.rows_out = len(earlier) + len(later), len(later)
        summary.facts = facts(account, terms)
    return summary


def own(terms: Terms) -> Lender:
    """The lender whose strategy is searched: the first of its own house, or else the first."""
    return next((lender for lender in terms.lenders if lender.role == "own"), terms.lenders[0])


def written(strategy: Strategy) -> dict[str, Any]:
    """A strategy as a file of lending terms has it."""
    return {
        "name": strategy.name,
        "amounts": list(strategy.amounts),
        "cutoffs": {months: list(edges) for months, edges in strategy.cutoffs.items()},
        "limits": [{"pd_up_to": edge, "most_minor": most} for edge, most in strategy.limits],
    }


def facts(account: dict[str, Any], terms: Terms) -> dict[str, str]:
    """The lines a stage prints."""
    later, unit = account["judged_on"], terms.minor_per_unit
    lines = {"lending terms": account["terms"], "bad rate at most": f"{account['bounds']['bad_rate_max']:.4f}"}
    for name in (terms.champion.name, "flat", "optimised"):
        f = later[name]
        lines[f"later, {name}"] = (
            f"approved {f['approval']:.1%}, bad rate expected {f['bad_rate']:.4f}, profit {f['profit'] / unit:,.2f} an "
            "application"
        )
    return lines


def _observed(is_lent: Flags, is_bad: Flags) -> float | None:
    return float(is_bad[is_lent].mean()) if is_lent.any() else None
