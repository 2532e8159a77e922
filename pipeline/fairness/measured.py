"""What each group meets at each band's cut-off: on all later loans, and out of fold on those learned from."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.arrays import Codes, Flags, Floats
from models.fairness import AtCut, Group, Loans, groups
from pipeline.engines import read_table
from pipeline.fairness.groups import Grouping
from pipeline.params import Params
from pipeline.sample import KEY, Sample, positions
from pipeline.workspace import Workspace, digest, read_json
from saakh.errors import ContractError
from saakh.scale import Scale

RATIO_SCREEN = 0.80
"""An adverse impact ratio under it is looked at: a screen, not a verdict."""


@dataclass(frozen=True)
class Scores:
    """The model's log-odds of each loan of the sample: by fold where it learned, and of all who came later.

    NaN for loans on neither side; `fold` is 0 for later ones, which one model scored.
    """

    log_odds: Floats
    fold: Codes
    development: Flags
    later: Flags

    @property
    def sides(self) -> dict[str, Flags]:
        """The loans of each side, by its name."""
        return {"through_the_door": self.later, "out_of_fold": self.development}


def read_scores(ws: Workspace, sample: Sample) -> Scores:
    """What `train` wrote, in the order of the sample; other files than `train.json` tells of are a `ContractError`."""
    account, loans = read_json(ws.need("train", "train.json")), len(sample.bad)
    log_odds, fold = np.full(loans, np.nan), np.zeros(loans, dtype=np.int64)
    development, later = np.zeros(loans, dtype=bool), np.zeros(loans, dtype=bool)
    keys = pa.table({KEY: sample.application})
    for name in ("scores", "returning"):
        path = ws.need("train", f"{name}.parquet")
        if digest(path) != account[f"{name}_sha256"]:
            raise ContractError(f"{path} is not the one train.json tells of; rerun `saakh train`")
        table = read_table(path)
        at = positions(keys, table[KEY].combine_chunks(), "sample").to_numpy()
        log_odds[at] = table["log_odds"].to_numpy()
        is_dev = np.zeros(len(at), dtype=bool)
        if name == "scores":
            is_dev = pc.equal(table["split"], "development").to_numpy()
            fold[at] = pc.fill_null(table["fold"], 0).to_numpy()
        development[at], later[at] = is_dev, ~is_dev
    return Scores(log_odds, fold, development, later)


def cut_offs(params: Params) -> list[dict[str, float]]:
    """Each band's lower end, the best band first: approved from so many points, which is so many log-odds of bad."""
    scale = Scale(params.export.base_points, params.export.base_odds, params.export.pdo)
    return [
        {"from_points": points, "log_odds": (scale.offset - points) / scale.factor}
        for points in reversed(params.export.bands)
    ]


def measured(params: Params, sample: Sample, scores: Scores, groupings: Sequence[Grouping]) -> list[dict[str, Any]]:
    """For each side and attribute, the groups' figures; small groups are named and told nothing of."""
    return [
        {"side": side, "attributes": [_attribute(params, sample, scores, rows, each) for each in groupings]}
        for side, rows in scores.sides.items()
    ]


def _attribute(params: Params, sample: Sample, scores: Scores, rows: Flags, by: Grouping) -> dict[str, Any]:
    rows = rows & (by.code >= 0)
    loans = Loans(scores.log_odds[rows], sample.bad[rows], sample.person[rows])
    how, cuts = params.evaluate, [cut["log_odds"] for cut in cut_offs(params)]
    drawn: dict[str, Any] = {"confidence": how.confidence, "resamples": how.resamples, "seed": params.seed}
    found = groups(loans, by.code[rows], len(by.names), cuts, **drawn)
    pairs = list(zip(by.names, found, strict=True))
    return {
        "attribute": by.attribute,
        "groups": [_told(name, group) for name, group in pairs if group is not None],
        "withheld": [name for name, group in pairs if group is None],
    }


def _told(name: str, group: Group) -> dict[str, Any]:
    return {"group": name} | asdict(group) | {"at": [asdict(at) | {"screen": screen(at)} for at in group.at]}


def screen(at: AtCut) -> str:
    """Whether the adverse impact ratio is under 0.80, and whether beyond chance."""
    ratio = at.impact_ratio
    if ratio.value is None or ratio.value >= RATIO_SCREEN:
        return "passed"
    return "under" if ratio.high is not None and ratio.high < RATIO_SCREEN else "under, within chance"
