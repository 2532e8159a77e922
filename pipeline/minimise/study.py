"""The loans that audits learn from again and again: development alone, so that nothing is chosen on later loans."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.columns import Sensitivity
from models.arrays import Codes, Flags, Floats
from models.boosting import uninformative
from models.lone import Lone, fit_lone, settings_for_lone, threads_for
from pipeline.minimise.ranks import apart, levels, nearness
from pipeline.params import Params
from pipeline.question import refuse_other_policies
from pipeline.sample import Sample, read_sample, read_specs
from pipeline.train import as_inputs, split_by_time
from pipeline.workspace import Workspace, read_json
from saakh.errors import ConsentError, ContractError
from saakh.spec import FeatureSpec

ROUNDS_MAX, LEARNING_RATE, PATIENCE = 300, 0.1, 25
"""Boosters that are only compared take larger steps than the default model's, and fewer of them."""


@dataclass(frozen=True)
class Study:
    """Development loans with every column that may be learned from; `x` is loans × columns, NaN where missing.

    `at` says which columns of the sample these are; `who` numbers the people from 0.
    """

    params: Params
    specs: tuple[FeatureSpec, ...]
    at: Codes
    x: Floats
    bad: Flags
    who: Codes

    @cached_property
    def ranks(self) -> Floats:
        """The columns as ranks."""
        return levels(self.x)

    @cached_property
    def near(self) -> Floats:
        """How much each pair of columns says the same."""
        return nearness(self.ranks)

    @property
    def categories(self) -> tuple[str, ...]:
        """The consent category of each column."""
        return tuple(spec.category for spec in self.specs)

    def columns_of(self, request: Iterable[str]) -> Codes:
        """The columns that a request opens."""
        asked = set(request)
        return np.array([i for i, spec in enumerate(self.specs) if spec.category in asked], dtype=np.int64)

    def folds(self, repeat: int) -> Codes:
        """A fold for each loan, people drawn at random; every repeat draws anew."""
        return person_folds(self.who, self.params.train.folds, self.params.seed + repeat)

    def boosted(self, columns: Iterable[int], repeat: int) -> Lone:
        """A booster on these columns, over the folds of a repeat."""
        params, kept = self.params, apart(self.near, columns, self.params.train.alike_max)
        x = self.x[:, kept]
        hasty = settings_for_lone(len(x), len(kept), ROUNDS_MAX, LEARNING_RATE, PATIENCE, params.seed + repeat)
        inputs, threads = as_inputs([self.specs[i] for i in kept]), threads_for(x.size, params.threads)
        return fit_lone(x, self.bad, self.folds(repeat), inputs, hasty, threads)


def study(params: Params, specs: Sequence[FeatureSpec], sample: Sample) -> Study:
    """What the audits learn from; the columns are those `train` would try."""
    dev = split_by_time(params, sample).development
    silent = uninformative(sample.x[dev], [spec.name for spec in specs])
    at = np.array([i for i, spec in enumerate(specs) if spec.name not in silent], dtype=np.int64)
    if not len(at):
        raise ContractError("all features are null or constant in development; see derive/coverage.parquet")
    who = np.unique(sample.person[dev], return_inverse=True)[1].astype(np.int64)
    return Study(params, tuple(specs[i] for i in at), at, sample.x[np.ix_(dev, at)], sample.bad[dev], who)


def person_folds(who: Codes, folds: int, seed: int) -> Codes:
    """Folds of about as many people each, a person in one of them."""
    people = int(who.max()) + 1
    if people < folds:
        raise ContractError(f"{people} people cannot make {folds} folds; lower train.folds or give more data")
    return np.asarray(np.random.default_rng(seed).permutation(people)[who] % folds, dtype=np.int64)


def read(params: Params, ws: Workspace) -> tuple[list[FeatureSpec], Sample]:
    """The specs and the sample of a run; its people must have agreed to training, which this is.

    Columns that a run was lent for research are no part of a score, and left out.
    """
    purpose = read_json(ws.need("cohort", "cohort.json"))["purpose"]
    if purpose != "train":
        raise ConsentError(
            f"the people in this cohort agreed to '{purpose}', which is not training, and an audit trains again and "
            "again; set cohort.purpose to train and run again from `saakh cohort`"
        )
    refuse_other_policies(params, read_json(ws.need("derive", "derive.json")), "derive")
    specs = [spec for spec in read_specs(ws) if spec.sensitivity == Sensitivity.ORDINARY]
    return specs, read_sample(ws, specs)
