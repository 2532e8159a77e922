"""The input policy: what it means when an input is missing, unseen, out of range or stale; all of it is counted.

*Missing*: no value. *Unseen*: beyond what training people showed, though possible. *Out of range*: impossible, or no
number at all. *Stale*: read from its source too long ago. What follows is one of four outcomes, mildest first:

- `neutral`: scored as the model does: a missing, impossible or stale value as missing, an unseen one as it is;
- `worst`: scored as the value that on average costs most;
- `refer`: scored as under `neutral`, but a person decides;
- `reject`: not to be decided on; the score says so, and `decide` declines for want of inputs, not for risk.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from saakh.errors import ArtifactError, ContractError
from saakh.fields import Fields
from saakh.spec import FeatureSpec
from saakh.trees import Array

Outcome = Literal["neutral", "worst", "refer", "reject"]
Finding = Literal["missing", "unseen", "out_of_range", "stale"]
Handling = Literal["score", "refer", "reject"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
FINDINGS: tuple[Finding, ...] = get_args(Finding)
OUTCOME = "|".join(OUTCOMES)
HANDLINGS: tuple[Handling, ...] = ("score", "score", "refer", "reject")
"""What each outcome makes of the whole score; the strictest of all inputs holds."""
WORST = OUTCOMES.index("worst")


@dataclass(frozen=True, slots=True)
class InputRule:
    """The policy for one input, and the few numbers of its distribution that a scorecard carries.

    `stale_after_days`: from what age of its source an input is stale (None: never). `seen`: the range that training
    people showed; `usual`: that of nine in ten. `better` and `worse`: the values that on average earn and cost most.
    None: not known. All are rounded, and rest on many people each.
    """

    missing: Outcome = "neutral"
    unseen: Outcome = "neutral"
    out_of_range: Outcome = "neutral"
    stale: Outcome = "neutral"
    stale_after_days: float | None = None
    seen: tuple[float, float] | None = None
    usual: tuple[float, float] | None = None
    better: float | None = None
    worse: float | None = None


@dataclass(frozen=True, slots=True)
class Handled:
    """An input that was not simply scored: what was found, and what was done about it."""

    feature: str
    found: Finding
    outcome: Outcome


class Reading(NamedTuple):
    """What was found in one applicant's inputs, counted, and what the policy made of it."""

    missing: int
    unseen: int
    stale: int
    handling: Handling
    handled: tuple[Handled, ...]


class InputPolicy:
    """The rules of a scorecard's inputs, as arrays."""

    def __init__(self, specs: Sequence[FeatureSpec], rules: Sequence[InputRule]) -> None:
        self.names = [spec.name for spec in specs]
        ends = [rule.seen or (-np.inf, np.inf) for rule in rules]
        self._low, self._high = np.array([low for low, _ in ends]), np.array([high for _, high in ends])
        self._code = np.array([[OUTCOMES.index(getattr(rule, f)) for rule in rules] for f in FINDINGS], np.int8)
        self._acts: list[bool] = [bool(code.any()) for code in self._code]
        self._worse = np.array([np.nan if rule.worse is None else rule.worse for rule in rules])
        self._limit = np.array([np.inf if r.stale_after_days is None else r.stale_after_days for r in rules])
        tables = sorted({spec.table for spec in specs})
        self._table = np.array([tables.index(spec.table) for spec in specs])
        self.tables = tuple(tables)

    def unseen(self, x: Array) -> Array:
        """Which inputs [..., features] lie beyond what training people showed."""
        return np.asarray((x > self._high) | (x < self._low))

    def read(
        self, x: Array, problems: Collection[int], withheld: Collection[int], ages: Mapping[str, float] | None
    ) -> Reading:
        """Count what is found in the inputs [features] of one applicant, and act on it: `x` is changed in place.

        `problems` and `withheld` are the numbers of inputs that could not be, and that were refused; NaN in `x`.
        """
        absent, unseen = np.isnan(x), self.unseen(x)
        missing, beyond = int(np.count_nonzero(absent)), int(np.count_nonzero(unseen))
        missing -= len(problems) + len(withheld)
        if not (ages or (problems and self._acts[2]) or (missing and self._acts[0]) or (beyond and self._acts[1])):
            return Reading(missing, beyond, 0, "score", ())
        wrong, old = np.zeros(len(x), bool), self.stale(ages or {})
        wrong[list(problems)] = True
        absent[[*problems, *withheld]] = False
        old[list(withheld)] = False
        masks: tuple[Array, ...] = (absent, unseen, wrong, old)
        found = {finding: mask[None] for finding, mask in zip(FINDINGS, masks, strict=True)}
        strictest = self.settle(x[None], found)
        return Reading(missing, beyond, int(old.sum()), HANDLINGS[strictest[0]], self._told(found))

    def stale(self, ages: Mapping[str, float]) -> Array:
        """Which inputs [features] come from a source that was read too long ago; `ages` are days, by table."""
        if unknown := sorted(set(map(str, ages)) - set(self.tables)):
            raise ContractError(f"no input is read from {', '.join(unknown)[:200]}; there are {', '.join(self.tables)}")
        if not all(isinstance(age, int | float) and age >= 0 for age in ages.values()):
            raise ContractError("the age of a source is a number of days, 0 or more")
        by_table = np.array([float(ages.get(table, 0.0)) for table in self.tables])
        return np.asarray(by_table[self._table] > self._limit)

    def settle(self, x: Array, found: Mapping[Finding, Array]) -> Array:
        """The strictest outcome of each row [rows], as a number; `x` [rows, features] is changed in place.

        `found` says by finding where it was made [rows, features]; a stale value counts as missing.
        """
        strictest = np.zeros(len(x), np.int8)
        for number, finding in enumerate(FINDINGS):
            where = found.get(finding)
            if where is None or not (self._acts[number] or finding == "stale"):
                continue
            code = self._code[number]
            if finding == "stale":
                x[where & (code < OUTCOMES.index("refer"))] = np.nan
            is_worst = where & (code == WORST)
            x[is_worst] = np.broadcast_to(self._worse, x.shape)[is_worst]
            np.maximum(strictest, (where * code).max(axis=1, initial=0), out=strictest)
        return strictest

    def _told(self, found: Mapping[Finding, Array]) -> tuple[Handled, ...]:
        """For one row, every input that had another outcome than `neutral`."""
        return tuple(
            Handled(self.names[i], finding, OUTCOMES[self._code[number, i]])
            for number, finding in enumerate(FINDINGS)
            for i in np.flatnonzero(found[finding][0] & (self._code[number] > 0))
        )


def rule_of(raw: Any, where: str) -> InputRule:
    """A rule out of the manifest; an `ArtifactError` names the field that is not right."""
    field = Fields(raw, where, *InputRule.__dataclass_fields__)
    outcomes = {finding: field.text(finding, OUTCOME) for finding in FINDINGS}
    rule = InputRule(
        **outcomes,  # type: ignore[arg-type]
        stale_after_days=None if raw["stale_after_days"] is None else field.number("stale_after_days", 0, 1e6),
        seen=field.maybe_range("seen"),
        usual=field.maybe_range("usual"),
        better=field.maybe_number("better"),
        worse=field.maybe_number("worse"),
    )
    if "worst" in outcomes.values() and rule.worse is None:
        raise ArtifactError(f"{where} takes a value as the worst, and does not say which that is")
    return rule
