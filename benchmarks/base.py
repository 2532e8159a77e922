"""How hard the base world is: the pipeline's own model on 20,000 applications, several seeds, against the truth.

`python benchmarks/base.py 5` draws so many populations with events, takes each from raw drops to evaluated scores as
`saakh run` does, and holds the scores against the oracle. About three minutes a seed on two cores.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pipeline.params import Params, read_params
from pipeline.run import run_stage
from pipeline.workspace import Workspace, read_json

ROOT = Path(__file__).parents[1]
PEOPLE = 13_400
STAGES = ("simulate", "ingest", "cohort", "label", "derive", "train", "evaluate", "judge")
ROW = (
    "| {seed} | {applications:,.0f} | {bad:.1%} | {auc:.3f} | {oracle:.3f} | {expected:.3f} | {best:.3f} | {lift:.0%} |"
)


def params_for(seed: int, people: int, folder: Path) -> Params:
    """The sample's parameters for another seed and size, every folder under `folder`."""
    params = read_params(ROOT / "params.yaml")
    simulate = {"people": people, "out": folder / "raw", "oracle": folder / "oracle"}
    ingest = {"source": folder / "raw", "key_file": folder / "raw/key.txt", "mapping": ROOT / params.ingest.mapping}
    changed = {
        "seed": seed,
        "workspace": folder / "work",
        "simulate": params.simulate.model_copy(update=simulate),
        "ingest": params.ingest.model_copy(update=ingest),
    }
    return params.model_copy(update=changed)


def one_seed(seed: int, folder: Path) -> dict[str, float]:
    """The figures of one population."""
    params = params_for(seed, PEOPLE, folder)
    ws = Workspace(params.workspace)
    for stage in STAGES:
        run_stage(stage, params, ws)
    ranking = read_json(ws.root / "judge/judge.json")["ranking"]
    labels = read_json(ws.root / "label/label.json")["verdicts"]
    return {
        "seed": seed,
        "applications": read_json(ws.root / "cohort/cohort.json")["rows_in"],
        "bad": labels["bad"] / (labels["bad"] + labels["good"]),
        "auc": ranking["model_auc"],
        "oracle": ranking["oracle_auc"],
        "expected": ranking["model_auc_expected"],
        "best": ranking["oracle_auc_expected"],
        "lift": ranking["reachable_lift_share"],
    }


def main(seeds: int) -> None:
    """Print one line a seed, and the mean."""
    print("| seed | applications | bad rate | out-of-time AUC | of the truth | expected AUC | of the truth | lift |")
    print("|---|---|---|---|---|---|---|---|")
    found = []
    for seed in range(5, 5 + seeds):
        with TemporaryDirectory(prefix="saakh-base-") as folder:
            found.append(one_seed(seed, Path(folder)))
        print(ROW.format(**found[-1]), flush=True)
    mean = {name: float(np.mean([f[name] for f in found])) for name in found[0]}
    print(ROW.format(**mean | {"seed": "mean"}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
