"""Applications, terms, true default probabilities, and repayments due by due.

The true log-odds of bad add traits, the stress of the moment, life stage, the loan's burden and a shock common to
the month. The outcome follows the probability; the dues and payments follow the outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from pipeline.world.clock import DAY, Span
from pipeline.world.draws import Draws, Flags, Floats, Ints
from pipeline.world.knobs import Knobs
from pipeline.world.traits import People

APPLICATIONS_MAX = 4
DUE_DAYS = 28
INTERCEPT = -3.10
RISK: Mapping[str, float] = {
    "income": -0.24,
    "volatility": 0.54,
    "conscientiousness": -0.50,
    "embeddedness": -0.52,
    "affinity": -0.48,
    "novelty": 0.12,
    "rootedness": -0.52,
}
STRESS_RISK = 0.53
STAGE_RISK = np.array([0.55, 0.30, 0.0, -0.30, -0.05])
CHANNELS = ("app", "web", "agent")


@dataclass(frozen=True)
class Loans:
    """One element an application, sorted by person and ordinal.

    Times are wall-clock seconds; `disbursed_at` is meaningless where `is_accepted` is false. `is_bad` is the outcome
    if accepted; `propensity` the chance with which it was to be; `fails_at` the instalment from which nothing is paid
    in time (a number beyond the last: none).
    """

    who: Ints
    ordinal: Ints
    applied_at: Ints
    disbursed_at: Ints
    rupees: Ints
    dues: Ints
    rate_bp: Ints
    channel: Ints
    log_odds: Floats
    pd: Floats
    is_bad: Flags
    is_accepted: Flags
    propensity: Floats
    fails_at: Ints
    draws: Draws


def first_days(people: People, span: Span) -> Ints:
    """The day of each person's first application."""
    return span.end_day - 1 - people.draws.whole("first", 0, span.days)


def loans(people: People, first: Ints, extra: Floats, knobs: Knobs, span: Span, seed: int) -> Loans:
    """All applications up to the end of the data; `extra` is added to each person's log-odds by period."""
    rounds, who, day = [], np.arange(people.size), first
    for ordinal in range(1, APPLICATIONS_MAX + 1):
        drawn = _round(people, who, day, ordinal, extra, knobs, span, seed)
        rounds.append(drawn)
        # a lender does not lend again to who has not repaid, so a second application follows a good loan only
        again = drawn.draws.chance("again", knobs.repeat) & ~(drawn.is_bad & drawn.is_accepted)
        gap = DUE_DAYS + 7 + np.floor(75 * drawn.draws.exponential("gap")).astype(np.int64)
        keep = again & (day + gap < span.end_day)
        who, day = who[keep], (day + gap)[keep]
    return _joined(rounds)


def _round(
    people: People, who: Ints, day: Ints, ordinal: int, extra: Floats, knobs: Knobs, span: Span, seed: int
) -> Loans:
    draws = people.draws.each("application", who, ordinal)
    period = span.period_of(day)
    stress = people.stress[who, period]
    applied = day * DAY + np.floor(DAY * (0.3 + 0.65 * np.sqrt(draws.uniform("hour")))).astype(np.int64)
    income = people.monthly_income[who]
    asked = 0.7 * income**0.6 * 25 * np.exp(0.12 * stress + 0.45 * draws.normal("amount"))
    rupees = (np.clip(asked / 500, 4, 200).astype(np.int64)) * 500
    dues = np.array([1, 2, 3, 6])[draws.pick("tenor", np.array([0.25, 0.60, 0.9, 1.0]))]
    burden = np.log(rupees / (income * dues)) + 0.9
    macro = knobs.macro_sd * Draws.of(seed, period + span.first_period).normal("macro")
    log_odds = _log_odds(people, who, stress, burden) + extra[who, period] + macro
    drifted = day >= span.end_day - knobs.drift_days_before
    log_odds = log_odds + knobs.bad_shift + np.where(drifted, knobs.drift_risk, 0.0)
    pd = expit(log_odds)
    is_bad = draws.chance("outcome", pd)
    return Loans(
        who=who,
        ordinal=np.full(len(who), ordinal),
        applied_at=applied,
        disbursed_at=applied + np.floor(DAY * (0.02 + draws.exponential("disbursal") / 4)).astype(np.int64),
        rupees=rupees,
        dues=dues,
        rate_bp=180 + 10 * draws.whole("rate", 0, 12),
        channel=draws.pick("channel", np.array([0.72, 0.86, 1.0])),
        log_odds=log_odds,
        pd=pd,
        is_bad=is_bad,
        is_accepted=(propensity := _propensity(people, who, draws, knobs)) > draws.uniform("explored"),
        propensity=propensity,
        fails_at=_failing(draws, pd, is_bad, dues),
        draws=draws,
    )


def _log_odds(people: People, who: Ints, stress: Floats, burden: Floats) -> Floats:
    total = INTERCEPT + STAGE_RISK[people.stage[who]] + 0.15 * burden + STRESS_RISK * stress
    for name, weight in RISK.items():
        total = total + weight * people.trait[name][who]
    # stress bites hardest where nobody keeps an eye on due dates
    return total - 0.12 * stress * people.trait["conscientiousness"][who]


def _propensity(people: People, who: Ints, draws: Draws, knobs: Knobs) -> Floats:
    """The earlier lender's rule: unstable work and low declared income are declined, save for a random few."""
    merit = 0.8 * people.trait["income"][who] + 0.6 * np.isin(people.work[who], (0, 1)) + 0.7 * draws.normal("merit")
    return np.where(merit > _merit_bar(knobs.declined_share), 1.0, knobs.explored_share)


def _merit_bar(declined_share: float) -> float:
    """The quantile of the merit below which applications are declined."""
    if declined_share <= 0:
        return -np.inf
    sample = Draws.of(0, np.arange(20_000))
    merit = 0.8 * sample.normal("i") + 0.6 * sample.chance("w", 0.62) + 0.7 * sample.normal("m")
    return float(np.quantile(merit, declined_share))


def _failing(draws: Draws, pd: Floats, is_bad: Flags, dues: Ints) -> Ints:
    """The first instalment missed by thirty days.

    Those due within 56 days settle the label; later ones run the same hazard.
    """
    early = np.minimum(dues, 2)
    hazard = 1 - (1 - pd) ** (1 / early)
    at_once = draws.uniform("fails") < hazard / pd
    bad_at = np.where(at_once | (early == 1), 1, 2)
    later = 3 + np.floor(draws.exponential("later") / -np.log1p(-hazard)).astype(np.int64)
    return np.where(is_bad, bad_at, later)


def _joined(rounds: list[Loans]) -> Loans:
    names = [name for name in Loans.__dataclass_fields__ if name != "draws"]
    columns = {name: np.concatenate([getattr(r, name) for r in rounds]) for name in names}
    keys = np.concatenate([r.draws.keys for r in rounds])
    order = np.lexsort((columns["ordinal"], columns["who"]))
    return Loans(**{name: column[order] for name, column in columns.items()}, draws=Draws(keys[order]))


@dataclass(frozen=True)
class Repayments:
    """One element an instalment due. `paid_at` is −1 while unpaid at the end of the data."""

    loan: Ints
    instalment: Ints
    due_at: Ints
    due_rupees: Floats
    paid_at: Ints
    paid_rupees: Floats


def repayments(drawn: Loans, span: Span, recorded_bad: Flags) -> Repayments:
    """The schedule of every granted loan, and what had been paid when the data end.

    `recorded_bad` marks good loans that the books nevertheless show as bad (biased labels).
    """
    granted = np.flatnonzero(drawn.is_accepted & (drawn.disbursed_at < span.as_of))
    loan = np.repeat(granted, drawn.dues[granted])
    instalment = _ranks(drawn.dues[granted]) + 1
    draws = drawn.draws.each("due", loan, instalment)
    due_at = drawn.disbursed_at[loan] + instalment * DUE_DAYS * DAY
    fails_at = np.where(recorded_bad, 1, drawn.fails_at)[loan]
    delay = np.where(instalment >= fails_at, _late(draws, instalment > fails_at), _timely(draws, drawn.pd[loan]))
    paid_at = due_at + np.floor(np.minimum(delay, 9_999) * DAY).astype(np.int64)
    is_paid = (delay < 9_999) & (paid_at < span.as_of)
    months = drawn.dues * DUE_DAYS / 30
    total = drawn.rupees * (1 + drawn.rate_bp / 10_000 * months)
    due = np.round((total / drawn.dues)[loan], 2)
    part = np.where(draws.chance("part", 0.2), np.round(due * draws.uniform("part.share"), 2), 0.0)
    owed = np.where(due_at < span.as_of, part, 0.0)
    return Repayments(loan, instalment, due_at, due, np.where(is_paid, paid_at, -1), np.where(is_paid, due, owed))


def _late(draws: Draws, is_after: Flags) -> Floats:
    """Days late of a missed instalment: more than thirty, or never (10,000)."""
    never = draws.chance("never", np.where(is_after, 0.8, 0.55))
    return np.where(never, 10_000.0, 30.5 + 40 * draws.exponential("late"))


def _timely(draws: Draws, pd: Floats) -> Floats:
    """Days from due to paid of an instalment met: before the day, a few days late, seldom up to four weeks."""
    early = -5 * draws.uniform("early")
    tardy = np.minimum(4 * draws.exponential("tardy"), 14.0)
    slow = 15 + 13 * draws.uniform("slow")
    kind = draws.uniform("manner")
    is_slow = kind > 1 - np.minimum(0.25 * pd, 0.1)
    return np.where(is_slow, slow, np.where(kind < 0.62 - 0.4 * pd, early, tardy))


def _ranks(counts: Ints) -> Ints:
    """0, 1, 2, … within each group of the given sizes."""
    starts = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) - np.repeat(starts, counts)
