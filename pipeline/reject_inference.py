"""Reject inference: learn from declined applications too, by outcomes that nobody saw. Off unless asked for.

Parcelling: each declined application is given an outcome by chance, bad as often as granted loans of its score are,
moved by what explored loans do beyond that where the lender explores. Whether it helps is judged on masked rejects:
the riskiest granted loans are taken for declined, a model is learned with and without inference, and both are judged on
later loans. Source: Crook and Banasik 2004, who found little to gain.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import rankdata

from models.arrays import Codes, Flags, Floats, Times
from models.default import Fitted, Rows
from models.metrics import surprise
from models.refusals import Refusals
from models.rejects import Door, expected_shares
from models.splits import Split, first_times
from pipeline.pseudonyms import SLOTS, shard_of
from pipeline.sample import Sample
from saakh.errors import ContractError

GOLDEN_SECTION = (5**0.5 - 1) / 2

Fit = Callable[[Rows], Fitted]


@dataclass(frozen=True)
class Others:
    """Declined applications to learn from: `rows` whose outcomes say nothing yet, and a draw in [0, 1) for each.

    `chances` to be granted are of the development loans first, then of these.
    """

    rows: Rows
    draw: Floats
    chances: Floats


@dataclass(frozen=True)
class Later:
    """Loans to judge on, with the columns that `Rows` have."""

    x: Floats
    bad: Flags
    refusals: Refusals


def taught(
    sample: Sample, split: Split, rows: Rows, shards: int, kept: list[int], fitted: Fitted, fit: Fit
) -> tuple[Fitted, dict[str, Any]]:
    """The model learned from declined applications too, and what masked loans tell of whether that helps.

    `fitted` was learned from the `rows` of development alone, whose columns are `kept` of the sample's. Out-of-fold
    scores stay those of these rows, since their outcomes alone are known.
    """
    more = others(sample, split, rows, shards, kept)
    joined = inferred(fitted, rows, more)
    share = len(more.draw) / len(joined.bad)
    after = split.out_of_time | split.known_person
    refusals = sample.refusals.columns(kept).rows(after)
    later = Later(sample.x[np.ix_(after, np.array(kept))], sample.bad[after], refusals)
    told: dict[str, Any] = {"declined": len(more.draw), "inferred_bads": int(joined.bad[len(rows.bad) :].sum())}
    told["masked"] = masked(fitted, rows, share, later, fit)
    again = fit(joined)
    return replace(again, out_of_fold=again.out_of_fold[: len(rows.bad)]), told


def others(sample: Sample, split: Split, rows: Rows, shards: int, kept: list[int]) -> Others:
    """The declined applications that came before the out-of-time period and its gap, of nobody who is judged on.

    Their folds are those of the people of `rows` who first applied when they did; who is in `rows` too has one fold.
    """
    declined = sample.declined
    if declined is None:
        raise ContractError("the sample was read without its declined applications; read it `with_declined`")
    cut = split.out_of_time_from - np.timedelta64(split.gap_days, "D")
    use = (declined.applied < cut) & ~np.isin(declined.person, sample.person[~split.development])
    person, key = declined.person[use], declined.key[use]
    found = Rows(
        x=declined.x[np.ix_(use, np.array(kept))],
        bad=np.zeros(len(person), dtype=bool),
        person=person,
        fold=_folds(declined.applied[use], person, sample.applied[split.development], rows),
        shard=shard_of((key % np.uint64(SLOTS)).astype(np.int64), shards),
        key=key,
        refusals=declined.refusals.columns(kept).rows(use),
    )
    return Others(found, declined.draw[use], np.r_[declined.granted[split.development], declined.propensity[use]])


def inferred(fitted: Fitted, rows: Rows, more: Others) -> Rows:
    """The rows, then the others with outcomes by chance; `fitted` was learned from the rows."""
    places = list(fitted.places)
    said = fitted.model.log_odds(more.rows.x[:, places], more.rows.refusals.columns(places))
    log_odds, granted = np.r_[fitted.out_of_fold, said], np.arange(len(said) + len(rows.bad)) < len(rows.bad)
    bad, person = np.r_[rows.bad, more.rows.bad], np.r_[rows.person, more.rows.person]
    share = expected_shares(Door(log_odds, bad, granted, more.chances, person))[len(rows.bad) :]
    return _joined(rows, replace(more.rows, bad=more.draw < share))


def masked(fitted: Fitted, rows: Rows, share: float, later: Later, fit: Fit) -> dict[str, Any] | None:
    """AUC and log-loss on later loans of models that did not see the riskiest `share`, with and without inference.

    None where too few bad loans are left to learn from.
    """
    rank = rankdata(fitted.out_of_fold, "ordinal")
    hidden = rank > (1 - share) * len(rank)
    seen, rest = _some(rows, ~hidden), _some(rows, hidden)
    draw = rank[hidden] * GOLDEN_SECTION % 1.0  # evenly spread at every height of the score
    blind = Others(replace(rest, bad=np.zeros_like(rest.bad)), draw, np.full(len(rank), np.nan))
    try:
        without = fit(seen)
        joined = inferred(without, seen, blind)
        taught = fit(joined)
    except ContractError:
        return None
    return {
        "masked": int(hidden.sum()),
        "bads": {"seen": int(rest.bad.sum()), "inferred": int(joined.bad[len(seen.bad) :].sum())},
        "without": _judged(without, later),
        "with": _judged(taught, later),
    }


def facts(told: dict[str, Any] | None) -> dict[str, str]:
    """The lines train prints of what it learned from declined applications."""
    if told is None:
        return {}
    lines = {"declined": f"{told['declined']:,} learned from, {told['inferred_bads']:,} of them taken for bad"}
    if (found := told["masked"]) is None:
        return lines | {"masked loans": "too few bad ones are left without them to say whether that helps"}
    before, after = found["without"], found["with"]
    verdict = "it helps" if after["log_loss"] < before["log_loss"] else "IT HURTS: set train.reject_inference to none"
    said = ", ".join(f"{of.replace('_', '-')} {before[of]:.4f} to {after[of]:.4f}" for of in ("auc", "log_loss"))
    return lines | {"masked loans": f"{said}; {verdict}"}


def _judged(fitted: Fitted, later: Later) -> dict[str, float]:
    places = list(fitted.places)
    said = fitted.model.log_odds(later.x[:, places], later.refusals.columns(places))
    rank, bads = rankdata(said), int(later.bad.sum())
    pairs = bads * (len(later.bad) - bads)
    auc = (rank[later.bad].sum() - bads * (bads + 1) / 2) / pairs if pairs else float("nan")
    return {"auc": float(auc), "log_loss": float(surprise(said, later.bad).mean())}


def _folds(applied: Times, person: Codes, granted: Times, rows: Rows) -> Codes:
    """A fold for each application: its person's own, or that of who first applied last before its person did."""
    first = first_times(granted, rows.person)
    order = np.argsort(first, kind="stable")
    mine = first_times(applied, person) if len(applied) else applied
    place = np.maximum(np.searchsorted(first[order], mine, side="right") - 1, 0)
    near = rows.fold[order][place]
    known, at = np.unique(rows.person, return_index=True)
    where = np.minimum(np.searchsorted(known, person), len(known) - 1)
    return np.where(known[where] == person, rows.fold[at][where], near)


def _joined(a: Rows, b: Rows) -> Rows:
    refusals = Refusals(np.concatenate([a.refusals.closed, b.refusals.closed]), a.refusals.category)
    joined = {name: np.concatenate([getattr(a, name), getattr(b, name)]) for name in _ARRAYS}
    return Rows(**joined, refusals=refusals)


def _some(rows: Rows, where: Flags) -> Rows:
    return Rows(**{name: getattr(rows, name)[where] for name in _ARRAYS}, refusals=rows.refusals.rows(where))


_ARRAYS = ("x", "bad", "person", "fold", "shard", "key")
