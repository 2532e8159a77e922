"""Each model on each fold's other loans: what it says of the loans it did not see, and what learning it cost."""

import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from models.arrays import Flags, Floats
from models.boosting import Inputs
from models.challengers import Challenger, Privacy, challengers
from models.default import Rows, fit, shards_for
from models.refusals import withheld
from pipeline.params import Params
from pipeline.pseudonyms import SLOTS, shard_of
from pipeline.summary import Tell, quiet
from pipeline.train import Prepared, settings_for

OWN = "Saakh"


@dataclass(frozen=True)
class Outcome:
    """A model of the table: log-odds of each loan by a fit that did not see it, or None where it is not installed.

    `seconds` are of processor time, over all folds.
    """

    name: str
    settings: str
    rows: Rows
    log_odds: Floats | None
    seconds: float


def outcomes(params: Params, ready: Prepared, tell: Tell = quiet) -> list[Outcome]:
    """The default model's outcome and those of its challengers, in the order of the table."""
    asked = params.compare
    privacy = None if asked.epsilon is None else Privacy(asked.epsilon, asked.delta)
    entered = challengers(privacy)
    tell(f"learning {OWN}", 0, len(entered) + 1)
    found = [own(params, ready)]
    for number, one in enumerate(entered, 1):
        tell(f"learning {one.name}", number, len(entered) + 1)
        found.append(challenged(one, ready.rows, ready.inputs, params.seed))
    return found


def own(params: Params, ready: Prepared) -> Outcome:
    """The default model, fitted anew without each fold: its own choices are made on the other folds alone."""
    rows, start = ready.rows, time.process_time()
    said = np.empty(len(rows.bad))
    for held in _folds(rows):
        some = _without(rows, held, params.train.shards)
        shards = len(np.unique(some.shard))
        settings = settings_for(params, len(some.bad), len(ready.kept), shards)
        fitted = fit(some, ready.inputs, settings, params.threads, prior=params.train.linear_prior)
        places = list(fitted.places)
        refusals = rows.refusals.columns(places).rows(held)
        said[held] = fitted.model.log_odds(rows.x[np.ix_(held, np.array(places))], refusals)
    return Outcome(OWN, "as trained", rows, said, time.process_time() - start)


def challenged(one: Challenger, rows: Rows, inputs: Inputs, seed: int) -> Outcome:
    """A challenger on the same folds; what was refused is missing to it."""
    result = partial(Outcome, one.name, one.settings, rows)
    if not one.is_installed:
        return result(None, 0.0)
    x, said, start = withheld(rows.x, rows.refusals), np.empty(len(rows.bad)), time.process_time()
    for held in _folds(rows):
        said[held] = one.fit(x[~held], rows.bad[~held], inputs, seed)(x[held])
    return result(said, time.process_time() - start)


def _folds(rows: Rows) -> list[Flags]:
    return [rows.fold == f for f in np.unique(rows.fold)]


def _without(rows: Rows, held: Flags, shards: int | None) -> Rows:
    """The rows outside a fold, their folds numbered anew and their people dealt into as many shards as they warrant."""
    kept = ~held
    bad, key = rows.bad[kept], rows.key[kept]
    count = shards or shards_for(len(bad), int(bad.sum()))
    return replace(
        rows,
        x=rows.x[kept],
        bad=bad,
        person=rows.person[kept],
        fold=np.unique(rows.fold[kept], return_inverse=True)[1].astype(np.int64),
        shard=shard_of((key % np.uint64(SLOTS)).astype(np.int64), count),
        key=key,
        refusals=rows.refusals.rows(kept),
    )
