"""The search itself: trials in a fixed order, each kept as it ends, so that a search can stop and go on.

Optuna proposes values (a tree-structured Parzen estimator) from the trials that are done and a seed that is the trial's
own; so a search that was interrupted makes the same trials as one that was not.
"""

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from scipy.special import logit

from models.arrays import Floats
from models.default import fit
from models.discrimination import Estimate
from models.metrics import surprise
from pipeline.columns import NoColumnError
from pipeline.engines import read_table, write_table
from pipeline.params import Params
from pipeline.sample import Sample, digests
from pipeline.summary import Tell, quiet
from pipeline.train import prepared, split_by_time
from pipeline.tune.gain import honest_gain
from pipeline.tune.space import suggested
from pipeline.workspace import Workspace
from saakh.spec import FeatureSpec

if TYPE_CHECKING:
    from optuna import Study

DEFAULTS = "defaults"


@dataclass(frozen=True)
class Trial:
    """A trial that is done: its place in the order, its values of `train`, and its log-loss out of fold."""

    number: int
    values: dict[str, Any]
    log_loss: float


@dataclass(frozen=True)
class Search:
    """What was tried on so many loans; `gain` is the best trial's over the defaults, None before the first trial."""

    loans: int
    defaults: float
    trials: tuple[Trial, ...]
    gain: Estimate | None


def search(
    params: Params,
    ws: Workspace,
    specs: Sequence[FeatureSpec],
    sample: Sample,
    tell: Tell = quiet,
    seconds: float | None = None,
) -> Search:
    """Make the trials that are still to make, up to `tune.trials` or until `seconds` are over."""
    start, folder = time.monotonic(), ws.stage("tune")
    study, ready = _study(folder, _asked(params, ws)), prepared(params, specs, sample)
    rows, most = ready.rows, params.tune.trials
    categories = sorted({spec.category for spec in specs})
    tell("learning with the defaults", 0, most)
    base = _losses(folder / f"{DEFAULTS}.parquet", params, specs, sample)
    while len(done := _done(study)) < most and (seconds is None or time.monotonic() - start < seconds):
        number = len(done)
        tell("trials", number, most)
        study.sampler = _sampler(params.seed + number)
        asked = study.ask()
        values = suggested(asked, len(rows.bad) // ready.shards, categories)
        train = type(params.train).model_validate(params.train.model_dump() | values)
        changed = params.model_copy(update={"train": train})
        losses = _losses(folder / f"trial-{number:05}.parquet", changed, specs, sample)
        asked.set_user_attr("values", values)
        study.tell(asked, float(losses.mean()))
    trials = tuple(Trial(n, t.user_attrs["values"], float(t.value)) for n, t in enumerate(done[:most]))
    return Search(len(base), float(base.mean()), trials, _gain(params, folder, base, len(trials), rows.person))


def _gain(params: Params, folder: Path, base: Floats, trials: int, person: np.ndarray) -> Estimate | None:
    if not trials:
        return None
    each = np.stack([_kept(folder / f"trial-{number:05}.parquet") for number in range(trials)])
    who = np.unique(person, return_inverse=True)[1].astype(np.int64)
    how = params.evaluate
    return honest_gain(base, each, who, how.confidence, how.resamples, params.seed)


def _losses(path: Path, params: Params, specs: Sequence[FeatureSpec], sample: Sample) -> Floats:
    """The log-loss of each development loan by a model that did not see it, in the order of the sample; kept at `path`.

    What an interrupted search left of the same trial is made again: only the study knows which trials are done.
    """
    if path.stem == DEFAULTS and path.exists():
        return _kept(path)
    try:
        ready = prepared(params, specs, sample)
    except NoColumnError:  # the trial left out everything: it says of each loan what all have in common
        bad = sample.bad[split_by_time(params, sample).development]
        losses = surprise(np.full(len(bad), logit(bad.mean())), bad)
    else:
        fitted = fit(ready.rows, ready.inputs, ready.settings, params.threads, prior=params.train.linear_prior)
        losses = surprise(fitted.out_of_fold, ready.rows.bad)
    write_table(path, pa.table({"log_loss": losses}))
    return losses


def _kept(path: Path) -> Floats:
    return np.asarray(read_table(path)["log_loss"].to_numpy(), dtype=np.float64)


def _study(folder: Path, asked: str) -> "Study":
    """The study of this very question; what another question left in the folder goes."""
    import optuna  # noqa: PLC0415 (slow to import)
    from optuna.trial import TrialState  # noqa: PLC0415

    optuna.logging.set_verbosity(logging.WARNING)
    path = folder / f"{asked[:16]}.db"
    if not path.exists():
        shutil.rmtree(folder)
        folder.mkdir()
    study = optuna.create_study(storage=f"sqlite:///{path.resolve()}", study_name=asked, load_if_exists=True)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
    return study


def _sampler(seed: int) -> Any:
    from optuna.samplers import TPESampler  # noqa: PLC0415

    return TPESampler(seed=seed, constant_liar=False)  # trials that did not end must not count


def _done(study: "Study") -> list[Any]:
    from optuna.trial import TrialState  # noqa: PLC0415

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _asked(params: Params, ws: Workspace) -> str:
    """A digest of all that a trial depends on, but for how many there are to be."""
    what = {
        "inputs": digests(ws),
        "train": params.train.model_dump(mode="json"),
        "label": params.label.model_dump(mode="json"),
        "seed": params.seed,
        "versions": [version(name) for name in ("saakh-pipeline", "lightgbm", "optuna")],
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
