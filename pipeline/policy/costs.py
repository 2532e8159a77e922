"""What each policy would cost: the model learned again on what it leaves, and held against the run's own.

Columns go, and with their bounds policies may close consents altogether; columns are those the run derived.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rich.table import Table

from features import tables
from models.arrays import Codes, Flags, Floats
from models.discrimination import Estimate, auc
from models.resampling import interval, resampled
from pipeline import cohort
from pipeline.console import out, progress
from pipeline.engines import open_engine
from pipeline.evaluate import in_words
from pipeline.params import Params
from pipeline.policy import Policy, bounds_for, names, read_policies, read_policy
from pipeline.policy.compare import left, removed
from pipeline.sample import KEY, Sample, read_sample, read_specs
from pipeline.summary import Tell, quiet
from pipeline.train import learn
from pipeline.workspace import Workspace, digest, write_json
from saakh.errors import ContractError
from saakh.spec import FeatureSpec

APPROVED_SHARE = 0.7
"""Of later loans, in the run's own model: the bad rate among them is what others may reach."""
FILE = "costs.json"


@dataclass(frozen=True)
class Scored:
    """Later loans with the scores of a model, their outcomes, and their risk: of going bad, or whether they did."""

    log_odds: Floats
    bad: Flags
    risk: Floats
    person: Codes


@dataclass(frozen=True)
class Cost:
    """What a policy leaves, and how well a model on it ranks.

    `loans` are those of the sample that consent leaves under the policy's bounds. Where it leaves too few to train on,
    the rest is measured on all of them. `auc_lost` and `approved` are against the run's own model.
    """

    policy: str
    title: str
    jurisdiction: str
    features: int
    columns: int
    categories_gone: tuple[str, ...]
    loans: int
    is_trainable: bool
    auc: Estimate
    auc_lost: Estimate
    approved: float


def print_costs(params: Params) -> None:
    """Measure what each policy would cost on a run, print it, and keep it for the report."""
    ws = Workspace(params.workspace)
    specs = read_specs(ws)
    sample = read_sample(ws, specs)
    with progress("policy costs") as tell:
        policies = beside(read_policies(params.policy))
        found = costs(params, specs, sample, policies, agreed(params, ws, sample, policies), tell=tell)
    path = ws.stage("policy") / FILE
    told = {"run": params.policies, "approved_share": APPROVED_SHARE, "confidence": params.evaluate.confidence}
    told |= {"features_sha256": digest(ws.need("derive", "features.parquet"))}
    write_json(path, told | {"loans": len(sample.bad), "policies": [asdict(cost) for cost in found]})
    out.print(_grid(found, len(sample.bad)))
    out.print(f"Wrote {path}; `saakh explain` puts it into the report.")


def beside(run: Sequence[Policy]) -> list[Policy]:
    """The policies that may be held against a run: they allow nothing that its own do not, which was not derived."""
    allowed = {told for told in run[0].allows.sensitivities if all(told in p.allows.sensitivities for p in run)}
    graph = all(policy.allows.social_graph for policy in run)
    others = [read_policy(name) for name in names()]
    return [p for p in others if set(p.allows.sensitivities) <= allowed and graph >= p.allows.social_graph]


def agreed(params: Params, ws: Workspace, sample: Sample, policies: Sequence[Policy]) -> dict[str, Flags]:
    """By policy, the loans of the sample that consent leaves under its bounds beside those of the run."""
    run, purpose = read_policies(params.policy), params.cohort.purpose
    found = {}
    with closing(open_engine(params)) as engine:
        applications = engine.canonical(ws, tables.applications)
        consents = engine.canonical(ws, tables.consents)
        for policy in policies:
            bounds = bounds_for([*run, policy], purpose)
            judged = engine.arrow(cohort.cohort(applications, consents, params, bounds), [KEY])
            kept = judged.filter(pc.equal(judged["verdict"], cohort.KEPT))[KEY].combine_chunks()
            found[policy.name] = pc.is_in(sample.application, kept).to_numpy(zero_copy_only=False)
    return found


def costs(
    params: Params,
    specs: Sequence[FeatureSpec],
    sample: Sample,
    policies: Sequence[Policy],
    agreed: Mapping[str, Flags],
    risk: Floats | None = None,
    tell: Tell = quiet,
) -> list[Cost]:
    """What each policy costs, held against all columns and loans of the sample.

    `risk` is each loan's true probability of going bad, where it is known: a better estimate than what happened.
    """
    learned: dict[Any, Scored | None] = {}
    found = []
    own = scored(params, specs, sample, specs, np.ones(len(sample.bad), bool), risk, learned)
    if own is None:
        raise ContractError("the run's own loans are too few to train on, so there is nothing to hold others against")
    rate = bad_rate(own, APPROVED_SHARE)
    for done, policy in enumerate(policies):
        tell(policy.name, done, len(policies))
        kept, loans = left(specs, [policy]), agreed[policy.name]
        model = scored(params, specs, sample, kept, loans, risk, learned)
        on_all = scored(params, specs, sample, kept, np.ones(len(loans), bool), risk, learned)
        of = on_all if model is None else model
        found.append(_cost(params, policy, specs, own, of, rate, int(loans.sum()), is_trainable=model is not None))
    return found


def scored(
    params: Params,
    specs: Sequence[FeatureSpec],
    sample: Sample,
    kept: Sequence[FeatureSpec],
    loans: Flags,
    risk: Floats | None,
    learned: dict[Any, Scored | None],
) -> Scored | None:
    """Later loans scored by a model learned on some columns and loans; None when these are too few to learn from."""
    key = (tuple(spec.name for spec in kept), loans.tobytes())
    if key not in learned:
        learned[key] = _learned(params, specs, sample, kept, loans, sample.bad.astype(float) if risk is None else risk)
    return learned[key]


def _learned(
    params: Params,
    specs: Sequence[FeatureSpec],
    sample: Sample,
    kept: Sequence[FeatureSpec],
    loans: Flags,
    risk: Floats,
) -> Scored | None:
    place = {spec.name: i for i, spec in enumerate(specs)}
    of = Sample(
        sample.application.filter(pa.array(loans)),
        sample.person[loans],
        sample.applied[loans],
        sample.bad[loans],
        sample.x[loans][:, [place[spec.name] for spec in kept]],
        0,
        sample.key[loans],
        sample.refusals.rows(loans).columns([place[spec.name] for spec in kept]),
    )
    try:
        model = learn(params, kept, of)
    except ContractError:  # nothing to tell apart, no column that says anything, or no later loan
        return None
    later = model.split.out_of_time
    return Scored(model.log_odds[later], of.bad[later], risk[loans][later], of.person[later])


def _cost(
    params: Params,
    policy: Policy,
    specs: Sequence[FeatureSpec],
    own: Scored,
    of: Scored | None,
    rate: float,
    loans: int,
    *,
    is_trainable: bool,
) -> Cost:
    what = removed(specs, [policy])
    area = Estimate(None) if of is None else auc(of.log_odds, of.bad, of.person, params.evaluate.confidence)
    if of is not None and not np.array_equal(of.risk, of.bad):
        area = Estimate(float(weighted_auc(of.log_odds, of.risk, np.ones((1, len(of.bad))))[0]))
    return Cost(
        policy=policy.name,
        title=policy.title,
        jurisdiction=policy.jurisdiction,
        features=what.features[1],
        columns=what.columns[1],
        categories_gone=what.categories,
        loans=loans,
        is_trainable=is_trainable,
        auc=area,
        auc_lost=Estimate(None) if of is None else lost(params, own, of),
        approved=0.0 if of is None else approved(of, rate),
    )


def lost(params: Params, own: Scored, of: Scored) -> Estimate:
    """How much AUC a model has less than the run's own; with an interval when both score the same loans."""
    every = np.ones((1, len(own.bad)))
    value = float(weighted_auc(own.log_odds, own.risk, every)[0])
    value -= float(weighted_auc(of.log_odds, of.risk, np.ones((1, len(of.bad))))[0])
    if len(own.person) != len(of.person) or np.array_equal(own.log_odds, of.log_odds):
        return Estimate(value)

    def apart(weight: Floats) -> Floats:
        less = weighted_auc(own.log_odds, own.risk, weight) - weighted_auc(of.log_odds, of.risk, weight)
        return less[:, None]

    drawn = resampled(apart, own.person, params.evaluate.resamples, params.seed)[:, 0]
    return interval(value, drawn, params.evaluate.confidence)


def weighted_auc(score: Floats, risk: Floats, weight: Floats) -> Floats:
    """Chance that a bad loan scores above a good one, ties half, for each set of weights (sets × loans)."""
    order = np.argsort(score, kind="stable")
    ranked = score[order]
    first = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    bads = np.add.reduceat((weight * risk)[:, order], first, axis=1)
    goods = np.add.reduceat((weight * (1 - risk))[:, order], first, axis=1)
    below = np.cumsum(goods, axis=1) - goods
    area = (bads * (below + goods / 2)).sum(axis=1) / (bads.sum(axis=1) * goods.sum(axis=1))
    return np.asarray(area, dtype=np.float64)


def bad_rate(of: Scored, share: float) -> float:
    """The bad rate among the safest share of loans."""
    rates = _rates(of)
    return float(rates[max(1, round(share * len(rates))) - 1])


def approved(of: Scored, rate: float) -> float:
    """The largest share of loans, safest first, whose bad rate is no higher."""
    within = np.flatnonzero(_rates(of) <= rate)
    return float((within[-1] + 1) / len(of.bad)) if len(within) else 0.0


def _rates(of: Scored) -> Floats:
    """The bad rate among the safest 1, 2, ... loans; those of one score share its risk evenly."""
    _, group, size = np.unique(of.log_odds, return_inverse=True, return_counts=True)
    even = np.bincount(group, of.risk) / size
    return np.asarray(np.cumsum(np.repeat(even, size)) / np.arange(1, len(of.bad) + 1), dtype=np.float64)


def _grid(found: Sequence[Cost], loans: int) -> Table:
    grid = Table(box=None, pad_edge=False)
    for heading in ("policy", "columns", "categories gone", "loans", "AUC", "AUC lost", "approved"):
        grid.add_column(heading, justify="left" if heading in ("policy", "categories gone") else "right")
    for cost in found:
        told = f"{cost.loans:,}" if cost.is_trainable else f"{cost.loans:,}: none to train on; measured on {loans:,}"
        gone = ", ".join(cost.categories_gone) or "none"
        figures = (in_words(asdict(cost.auc)), in_words(asdict(cost.auc_lost)), f"{cost.approved:.1%}")
        grid.add_row(cost.policy, f"{cost.columns:,}", gone, told, *figures)
    return grid
