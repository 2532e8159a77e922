"""Who taught the model: the membership attack on worlds without events, for the default model and others beside it.

`python -m benchmarks.membership 64 8000` draws one base world, learns so many shadow models, each from so many loans
(half of those drawn), and prints a line a model: how well shadows rank, and how well the attack tells everybody and
defaulters, with 95 % intervals: privacy against accuracy. Names after the numbers choose models (`default unguarded`).
"""

import sys
import time

import numpy as np
import pyarrow as pa

from benchmarks.minimality import SPAN, columns
from features.catalogue import all_features, specs_of
from models.refusals import Refusals, keys
from pipeline.membership.audit import audit
from pipeline.params import Params
from pipeline.sample import Sample
from pipeline.summary import quiet
from pipeline.world import direct
from pipeline.world.knobs import world as knobs_of
from saakh.spec import FeatureSpec

MODELS: dict[str, dict[str, float]] = {
    "default": {},
    "stronger-prior": {"linear_prior": 12.0},
    "ten-shards": {"shards": 10},
    "one-shard": {"shards": 1},
    "unguarded": {"shards": 1, "leaves": 8, "leaf_rows_min": 20, "leaf_bads_min": 0.0, "lambda_l2": 0.0},
}
LOANS_A_PERSON = 1.3
ROW = "| {model} | {auc:.4f} | {everybody} | {tpr} | {defaulters} | {others} | {hours:.2f} |"


def main(shadows: int, loans: int, models: list[str]) -> None:
    """Print the table."""
    specs, sample = world(2 * loans, 1)
    print(f"{shadows} shadows from {loans:,} loans each, {len(specs)} columns, bad rate {sample.bad.mean():.3f}")
    print("| model | AUC | attack on everybody | named at 0.1 % false alarms | on defaulters | on others | CPU hours |")
    print("|---|---|---|---|---|---|---|")
    for model in models:
        began = time.process_time()
        asked = {"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "seed": 1, "threads": 1}
        params = Params.model_validate(asked | {"membership": {"shadows": shadows}, "train": MODELS[model]})
        found = audit(params, specs, sample, {}, quiet)
        told = {row["who"]: row for row in found["told"]}
        print(
            ROW.format(
                model=model,
                auc=found["shadow_auc"],
                everybody=_said(told["everybody"]["auc"]),
                tpr=_said(told["everybody"]["tpr"], 100),
                defaulters=_said(told["defaulters"]["auc"]),
                others=_said(told["never bad"]["auc"]),
                hours=(time.process_time() - began) / 3600,
            ),
            flush=True,
        )
        print({who: row["auc"]["by_attack"] for who, row in told.items()}, file=sys.stderr, flush=True)


def world(loans: int, seed: int, name: str = "base") -> tuple[list[FeatureSpec], Sample]:
    """So many loans of a world without events, on columns of whole windows."""
    how = columns()
    known = {spec.name: spec for spec in specs_of(all_features())}
    drawn = direct.sample(1, int(loans / LOANS_A_PERSON), seed, knobs_of(name), SPAN, how)
    if len(drawn.pd) < loans:
        raise SystemExit(f"{len(drawn.pd)} loans were drawn, not {loans}: lower LOANS_A_PERSON")
    keep = slice(0, loans)
    person, applied = drawn.person[keep].astype(np.int64), drawn.applied_at[keep].astype("datetime64[s]")
    sample = Sample(
        application=pa.array([f"{i:032x}" for i in range(loans)]),
        person=person,
        applied=applied.astype("datetime64[us]"),
        bad=drawn.is_bad[keep],
        x=drawn.x[keep],
        indeterminate=0,
        key=keys([f"{p:032x}" for p in person.tolist()], "shard"),
        refusals=Refusals.none(loans, len(how.names)),
    )
    return [known[n] for n in how.names], sample


def _said(figure: dict[str, float | None], times: float = 1.0) -> str:
    value, low, high = (None if figure[k] is None else times * figure[k] for k in ("value", "low", "high"))
    return f"{value:.3f}" if low is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:3]] or [64, 8_000]
    main(numbers[0], numbers[1], sys.argv[3:] or list(MODELS))
