"""Whether learning from declined applications helps: `python -m benchmarks.reject_inference 5 8000`.

Draws so many `rejects` worlds without events (35 % declined by a rule, 3 % of those granted at random), learns the
default model from so many granted loans, with and without inference of what the declined would have done, and judges
both on applications of other people, granted or not, by their true default probabilities.
"""

import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa

from benchmarks.families import SPAN
from benchmarks.model import APPLICATIONS_A_PERSON
from features.catalogue import all_features, specs_of
from models.metrics import surprise
from models.refusals import Refusals, keys
from pipeline.judge import expected_auc
from pipeline.params import Params
from pipeline.sample import Declined, Sample
from pipeline.train import Learned, learn
from pipeline.world import direct
from pipeline.world.knobs import world

JUDGED, GRANTED_SHARE = 20_000, 0.65


def main(worlds: int, loans: int) -> None:
    """Print a line a world, then the mean gain of inference in AUC and log-loss, and what masked loans said."""
    specs = {spec.name: spec for spec in specs_of(all_features())}
    gains = []
    for seed in range(1, worlds + 1):
        people = int((loans / GRANTED_SHARE + JUDGED) / APPLICATIONS_A_PERSON)
        drawn = direct.sample(1, people, seed, world("rejects"), SPAN)
        columns = [specs[name] for name in drawn.names]
        sample, judged = of_world(drawn, loans)
        asked = {"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "seed": seed, "threads": 2}
        params = Params.model_validate(asked)
        plain, taught = (learn(params, columns, one) for one in (replace(sample, declined=None), sample))
        gains.append(gain(plain, taught, drawn, judged))
        print(seed, {name: round(value, 4) for name, value in gains[-1].items()}, flush=True)
    for name in gains[0]:
        found = np.array([one[name] for one in gains])
        print(f"{name}: {found.mean():+.4f}, standard error {found.std(ddof=1) / len(found) ** 0.5:.4f}")


def of_world(drawn: direct.Sample, loans: int) -> tuple[Sample, np.ndarray]:
    """The first so many granted loans with those declined meanwhile, and the places of applications to judge on."""
    last = drawn.person[np.flatnonzero(drawn.is_granted)[loans]]
    granted, declined = (np.flatnonzero((drawn.person < last) & kind) for kind in (drawn.is_granted, ~drawn.is_granted))
    judged = np.flatnonzero(drawn.person > last)[:JUDGED]
    person, applied = drawn.person.astype(np.int64), drawn.applied_at.astype("datetime64[s]").astype("datetime64[us]")
    name = keys([f"{p:032x}" for p in person.tolist()], "shard")
    columns = len(drawn.names)
    others = Declined(
        person=person[declined],
        applied=applied[declined],
        x=drawn.x[declined],
        key=name[declined],
        refusals=Refusals.none(len(declined), columns),
        draw=keys([f"{i}" for i in declined.tolist()], "declined") / 2.0**64,
        propensity=drawn.propensity[declined],
        granted=drawn.propensity[granted],
    )
    sample = Sample(
        application=pa.array([f"{i:032x}" for i in granted.tolist()]),
        person=person[granted],
        applied=applied[granted],
        bad=drawn.is_bad[granted],
        x=drawn.x[granted],
        indeterminate=0,
        key=name[granted],
        refusals=Refusals.none(len(granted), columns),
        declined=others,
    )
    return sample, judged


def gain(plain: Learned, taught: Learned, drawn: direct.Sample, judged: np.ndarray) -> dict[str, float]:
    """How much inference adds on everybody who applies; and on later loans, where the riskiest granted were masked."""
    (auc, loss), (better, less) = (figures(model, drawn, judged) for model in (plain, taught))
    told = {"AUC without": auc, "AUC": better - auc, "log-loss": less - loss}
    if taught.inference and (masked := taught.inference["masked"]):
        told |= {f"masked, {of}": masked["with"][of] - masked["without"][of] for of in ("auc", "log_loss")}
    return told


def figures(model: Learned, drawn: direct.Sample, judged: np.ndarray) -> tuple[float, float]:
    """AUC by true default probabilities, and log-loss, of the applications judged."""
    fitted = model.fitted.model
    place = {name: i for i, name in enumerate(drawn.names)}
    x = drawn.x[np.ix_(judged, np.array([place[name] for name in fitted.names]))]
    said = fitted.log_odds(x, Refusals.none(*x.shape))
    return expected_auc(said, drawn.pd[judged]), float(surprise(said, drawn.is_bad[judged]).mean())


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5, int(sys.argv[2]) if sys.argv[2:] else 8_000)
