"""What each policy costs on simulated populations, against the truth: AUC, approvals, columns, categories.

`python -m benchmarks.policies 5` draws so many populations of 20,000 applications and takes each from raw drops to
features as `saakh run` does; `python -m benchmarks.policies PARAMS.yaml ...` reads finished runs instead, and derives
nothing. Each policy's model is learned on the columns that it leaves, and judged on later loans of new people by their
true default probabilities. Approvals are those at the bad rate that `explicit-consent` has among its safest 70 %.
Columns and consent are those of the `explicit-consent` cohort; a policy whose bounds leave nobody to train on says so.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from scipy.stats import t as student

from benchmarks.base import PEOPLE, params_for
from models.arrays import Floats
from pipeline.engines import read_table
from pipeline.judge import matched_truth
from pipeline.params import Params, read_params
from pipeline.policy import read_policies
from pipeline.policy.costs import APPROVED_SHARE, Cost, agreed, beside, costs
from pipeline.pseudonyms import Pseudonyms, read_key
from pipeline.run import run_stage
from pipeline.sample import KEY, Sample, read_sample, read_specs
from pipeline.simulate import oracle_path
from pipeline.workspace import Workspace

STAGES = ("simulate", "ingest", "cohort", "label", "derive")
SEEDS = range(5, 100)


@dataclass(frozen=True)
class Figures:
    """A policy's costs over several populations, a value each."""

    first: Cost
    loans: int
    auc: Floats
    lost: Floats
    approved: Floats


def main(asked: Sequence[str]) -> None:
    """Print a line a population as it is done, and the table of them all."""
    found: dict[str, list[Cost]] = {}
    loans = 0
    for params in _runs(asked):
        ws = Workspace(params.workspace)
        specs = read_specs(ws)
        sample = read_sample(ws, specs)
        policies = beside(read_policies(params.policy))
        kept = agreed(params, ws, sample, policies)
        loans = len(sample.bad)
        for cost in costs(params, specs, sample, policies, kept, truth(params, sample)):
            found.setdefault(cost.policy, []).append(cost)
        said = ", ".join(f"{name} {costs_[-1].auc.value:.4f}" for name, costs_ in found.items())
        print(f"seed {params.seed}: {said}", file=sys.stderr, flush=True)
    print(table({name: _figures(costs_, loans) for name, costs_ in found.items()}))


def truth(params: Params, sample: Sample) -> Floats:
    """Each loan's true default probability."""
    known = pa.table({KEY: sample.application})
    told = matched_truth(known, read_table(oracle_path(params)), Pseudonyms(read_key(params.ingest)))
    return np.asarray(told["true_pd"].to_numpy(), dtype=np.float64)


def table(found: dict[str, Figures]) -> str:
    """The policies as Markdown, the costliest first."""
    approvals = f"approved, {APPROVED_SHARE:.0%} before"
    headings = ("policy", "columns", "categories gone", "expected AUC", "AUC lost", approvals)
    lines = [f"| {' | '.join(headings)} |", "|---|---:|---|---:|---:|---:|"]
    for name, of in sorted(found.items(), key=lambda pair: -pair[1].lost.mean()):
        gone = ", ".join(of.first.categories_gone) or "none"
        note = "" if of.first.is_trainable else " (nobody to train on within its bounds: its columns on all loans)"
        cells = (f"`{name}`{note}", f"{of.first.columns:,}", gone, _said(of.auc, 3), _said(of.lost, 4))
        lines.append(f"| {' | '.join(cells)} | {_said(100 * of.approved, 1)} % |")
    return "\n".join(lines)


def _runs(asked: Sequence[str]) -> Iterator[Params]:
    if asked and not asked[0].isdigit():
        yield from (read_params(Path(path)) for path in asked)
        return
    for seed in SEEDS[: int(asked[0]) if asked else 5]:
        with TemporaryDirectory(prefix="saakh-policies-") as folder:
            params = params_for(seed, PEOPLE, Path(folder))
            for stage in STAGES:
                run_stage(stage, params, Workspace(params.workspace))
            yield params


def _figures(costs_: Sequence[Cost], loans: int) -> Figures:
    values = ((c.auc.value or np.nan, c.auc_lost.value or 0.0, c.approved) for c in costs_)
    auc, lost, approved = (np.array(column) for column in zip(*values, strict=True))
    return Figures(costs_[0], loans, auc, lost, approved)


def _said(values: Floats, digits: int) -> str:
    """A mean with its 95 % interval over populations; of one population the figure alone."""
    mean = float(values.mean())
    if len(values) == 1:
        return f"{mean:.{digits}f}"
    reach = float(student.ppf(0.975, len(values) - 1)) * float(values.std(ddof=1)) / np.sqrt(len(values))
    return f"{mean:.{digits}f} ± {reach:.{digits}f}"


if __name__ == "__main__":
    main(sys.argv[1:])
