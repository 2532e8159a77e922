"""Decide: hold every application of the cohort against the lending terms, and write what each is offered.

Applications come in the order they were made in, and each lender's funds go down by the best offer of each: what a
later applicant is offered depends on the earlier ones through that alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.engines import read_table, write_table
from pipeline.lending import read_terms
from pipeline.params import Params
from pipeline.sample import KEY
from pipeline.score import refusals
from pipeline.stops import stop_files
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, write_json
from saakh import Scorecard, load
from saakh.application import Application
from saakh.decide import Decision, decide
from saakh.errors import ConfigError, ContractError
from saakh.input_policy import Handling
from saakh.offers import Offer
from saakh.terms import Terms

MONTH_DAYS = 30
TELL_EVERY = 1_000
WORDS = pa.list_(pa.string())
ASKS = (KEY, "applied_at", "amount_minor", "tenor_days")


@dataclass(frozen=True)
class Asked:
    """Applications in the order they were made in, their inputs [applications, features], and what each refused."""

    applications: list[Application]
    inputs: np.ndarray
    refused: list[tuple[str, ...]]
    without_amount: int


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write `decide/decisions.parquet`, one row an application, `offers.parquet`, one an offer, and `decide.json`."""
    with timed("decide") as summary:
        terms, path = read_terms(params.decide.terms), scorecard_path(params, ws)
        scorecard = load(path, stop_files=stop_files(path))
        asked = read_asked(params, ws, scorecard)
        scores = scorecard.score_many(asked.inputs, asked.refused)
        standing = [getattr(scores, name).tolist() for name in ("pd", "points", "missing", "problems")]
        decisions = decide_all(terms, asked.applications, standing, tell, scores.handling.tolist())
        folder = ws.stage("decide")
        write_table(folder / "decisions.parquet", as_rows(asked.applications, decisions, standing))
        write_table(folder / "offers.parquet", as_offers(asked.applications, decisions))
        account = {
            "terms": f"{terms.name} {terms.version}",
            "terms_sha256": digest(params.decide.terms),
            "scorecard": scorecard.version,
            "scorecard_sha256": digest(path),
            "applications": len(decisions),
            "without_amount": asked.without_amount,
            **(counts := counted(decisions)),
        }
        write_json(folder / "decide.json", account)
        summary.rows_in, summary.rows_out = len(decisions) + asked.without_amount, len(decisions)
        summary.counts = {name: counts["outcomes"].get(name, 0) for name in ("offer", "refer", "decline")}
        summary.counts["no amount asked for"] = asked.without_amount
        summary.facts = {
            "lending terms": f"{terms.name} {terms.version}",
            "decisions": str(folder / "decisions.parquet"),
        }
    return summary


def scorecard_path(params: Params, ws: Workspace) -> Path:
    """The scorecard that `export` wrote."""
    return ws.need("export", f"scorecard-{params.export.version}.saakh")


def read_asked(params: Params, ws: Workspace, scorecard: Scorecard) -> Asked:
    """Every application of the cohort that asks for an amount, beside the scorecard's inputs."""
    cohort = read_table(ws.need("cohort", "cohort.parquet")).sort_by([("applied_at", "ascending"), (KEY, "ascending")])
    known = cohort.filter(pc.is_valid(cohort["amount_minor"]))
    derived = read_table(ws.need("derive", "features.parquet"))
    place = pc.index_in(known[KEY].combine_chunks(), derived[KEY].combine_chunks())
    if place.null_count:
        raise ContractError(f"{place.null_count} applications have no features; cohort and derive ran on other inputs")
    derived = derived.take(place)
    if missing := [name for name in scorecard.features if name not in derived.column_names]:
        raise ContractError(f"derive/features.parquet has no {', '.join(missing[:5])}, which the scorecard asks for")
    inputs = np.column_stack([derived[name].to_numpy().astype(float) for name in scorecard.features])
    income = monthly(derived, params.decide.income, "income")
    surplus = monthly(derived, params.decide.surplus, "surplus")
    rows = known.select([name for name in ASKS if name in known.column_names]).to_pylist()
    channels = read_channels(ws, known[KEY])
    applications = [_application(*row) for row in zip(rows, channels, income, surplus, strict=True)]
    withheld = refusals(ws, scorecard.categories)
    refused = [withheld.get(key, ()) for key in known[KEY].to_pylist()]
    return Asked(applications, inputs, refused, len(cohort) - len(known))


def read_channels(ws: Workspace, keys: pa.ChunkedArray) -> list[str | None]:
    """Where each application was made, as far as the lender's own record in this workspace says."""
    path = ws.root / "ingest" / "applications.parquet"
    held = read_table(path) if path.exists() else None
    if held is None or "channel" not in held.column_names:
        return [None] * len(keys)
    place = pc.index_in(keys.combine_chunks(), held[KEY].combine_chunks())
    channels: list[str | None] = held["channel"].take(place).to_pylist()
    return channels


def monthly(derived: pa.Table, features: Mapping[str, int], what: str) -> list[int | None]:
    """Each application's amount a month: the lowest of the named features that are known; None when none is."""
    if missing := [name for name in features if name not in derived.column_names]:
        raise ConfigError(f"decide.{what} names {', '.join(missing)}, which derive did not write; leave it out")
    values = [derived[name].to_numpy().astype(float) * MONTH_DAYS / days for name, days in features.items()]
    least = np.full(len(derived), np.nan)
    for value in values:
        least = np.fmin(least, value)
    return [None if np.isnan(v) else max(0, int(v)) for v in least.tolist()]


def decide_all(
    terms: Terms,
    applications: Sequence[Application],
    standing: Sequence[Sequence[Any]],
    tell: Tell = quiet,
    handling: Sequence[Handling] | None = None,
) -> list[Decision]:
    """Decide in order; `standing` is PD, points, missing inputs and faulty inputs, each a value an application.

    `handling` is what the input policy made of each score; None when there is nothing to say.
    """
    left = {lender.name: lender.capacity_minor for lender in terms.lenders if lender.capacity_minor is not None}
    found = []
    handled = handling or ["score"] * len(applications)
    for number, (application, pd, points, missing, problems, how) in enumerate(
        zip(applications, *standing, handled, strict=True)
    ):
        if number % TELL_EVERY == 0:
            tell("deciding", number, len(applications))
        decision = decide(terms, application, pd, points, missing, problems, left, how)
        if decision.offers and decision.offers[0].lender in left:
            left[decision.offers[0].lender] -= decision.offers[0].amount_minor
        found.append(decision)
    return found


def as_rows(applications: Sequence[Application], decisions: Sequence[Decision], standing: Sequence[Any]) -> pa.Table:
    """One row an application: what was decided, and the best offer."""
    best = [decision.offers[0] if decision.offers else None for decision in decisions]
    pd, points, missing, problems = standing
    return pa.table(
        {
            KEY: pa.array([a.id for a in applications], pa.string()),
            "outcome": pa.array([d.outcome for d in decisions], pa.string()),
            "strategy": pa.array([d.strategy for d in decisions], pa.string()),
            "pd": pa.array(pd, pa.float64()),
            "points": pa.array(points, pa.float64()),
            "missing": pa.array(missing, pa.int64()),
            "problems": pa.array(problems, pa.int64()),
            "asked_minor": pa.array([a.amount_minor for a in applications], pa.int64()),
            "lender": pa.array([o and o.lender for o in best], pa.string()),
            "amount_minor": pa.array([o and o.amount_minor for o in best], pa.int64()),
            "offers": pa.array([len(d.offers) for d in decisions], pa.int64()),
            "grounds": pa.array([[str(g) for g in d.grounds] for d in decisions], WORDS),
            "referrals": pa.array([list(d.referrals) for d in decisions], WORDS),
        }
    )


def as_offers(applications: Sequence[Application], decisions: Sequence[Decision]) -> pa.Table:
    """One row an offer; `rank` 1 is the best of an application."""
    rows = [
        (application.id, rank, asdict(offer))
        for application, decision in zip(applications, decisions, strict=True)
        for rank, offer in enumerate(decision.offers, 1)
    ]
    kinds = {"lender": pa.string(), "apr": pa.float64()}
    columns = {KEY: pa.array([r[0] for r in rows], pa.string()), "rank": pa.array([r[1] for r in rows], pa.int64())}
    for name in Offer.__dataclass_fields__:
        columns[name] = pa.array([r[2][name] for r in rows], kinds.get(name, pa.int64()))
    return pa.table(columns)


def counted(decisions: Iterable[Decision]) -> dict[str, Any]:
    """How many, by outcome, strategy, ground and referral; and what each lender's best offers add up to."""
    decisions = list(decisions)
    best = [d.offers[0] for d in decisions if d.offers]
    names = sorted({offer.lender for offer in best})
    return {
        "outcomes": _tally(d.outcome for d in decisions),
        "strategies": _tally(d.strategy for d in decisions),
        "grounds": _tally(str(ground) for d in decisions for ground in d.grounds),
        "referrals": _tally(name for d in decisions for name in d.referrals),
        "lenders": {name: _lent([o for o in best if o.lender == name]) for name in names},
    }


def _lent(offers: Sequence[Offer]) -> dict[str, int]:
    return {"offers": len(offers), "amount_minor": sum(o.amount_minor for o in offers)}


def _tally(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _application(row: dict[str, Any], channel: str | None, income: int | None, surplus: int | None) -> Application:
    days = row.get("tenor_days")
    return Application(
        id=row[KEY],
        on=row["applied_at"].date(),
        amount_minor=row["amount_minor"],
        months=None if days is None else max(1, round(days / MONTH_DAYS)),
        income_minor=income,
        surplus_minor=surplus,
        channel=channel,
    )
