"""The section on stability: how far scores and inputs moved from development to out of time, and what chance allows."""

import numpy as np
import pyarrow.compute as pc

from models.arrays import Codes, Flags, Floats
from pipeline.engines import read_table
from pipeline.explain.charts import axis
from pipeline.explain.counts import Counts
from pipeline.monitor.alarms import budget
from pipeline.monitor.stability import STABLE, UNSTABLE, Shift, banded, counts, edges, shift, worth
from pipeline.pages import number, signed
from pipeline.sample import KEY, codes, positions
from pipeline.validate.document import Drawn, Figure, Finding, Level, Mark, Section, Table, words_of
from pipeline.validate.record import Record

SHOWN = 20
SAID = (
    "PSI and CSI by the usual convention: under {stable} stable, from {unstable} unstable, whatever the sample. The "
    "limit is what the index stays below, but for a few samples of these sizes in a hundred, when the true one is "
    "{tolerated}."
)


def stability(record: Record, _: Counts) -> Section:
    """PSI of the score and CSI of the inputs, development against out of time, with limits that know the sample."""
    points, inputs, person, late = _read(record)
    before, after = worth(person[~late]), worth(person[late])
    asked, names = record.params.monitor, tuple(record.stage("train")["columns"])
    score = _shift(points, late, before, after, budget(asked.alarm_share, "score", 1), asked.psi_tolerated)
    alarm = budget(asked.alarm_share, "inputs", len(names))
    found = [
        (name, _shift(inputs[:, i], late, before, after, alarm, asked.psi_tolerated)) for i, name in enumerate(names)
    ]
    found.sort(key=lambda pair: (-pair[1].psi / pair[1].limit, pair[0]))
    rows = [("score", score), *found[:SHOWN]]
    scale = axis([v for _, s in rows for v in (s.psi, s.limit)] + [STABLE], 5, through=0.0)
    table = Table(
        "stability",
        f"The score, and {min(SHOWN, len(found))} of {len(found)} inputs nearest to limits. Bar: index; tick: limit",
        ("What", "PSI or CSI#", "Limit#"),
        tuple((name, Figure(number(s.psi), s.psi), Figure(number(s.limit), s.limit)) for name, s in rows),
        Drawn("bar", scale, tuple(Mark(s.psi, tick=s.limit) for _, s in rows)),
    )
    moved = float(points[late].mean() - points[~late].mean())
    said = (
        f"Out of time the mean score is {signed(moved)} points from that of development, each scored out of fold there."
    )
    convention = SAID.format(stable=number(STABLE, 2), unstable=number(UNSTABLE, 2), tolerated=asked.psi_tolerated)
    return Section("stability", "Stability", "Train", (convention, said, table), tuple(_unstable(score, found)))


def _unstable(score: Shift, found: list[tuple[str, Shift]]) -> list[Finding]:
    told = []
    if score.psi > score.limit:
        level: Level = "high" if score.psi >= UNSTABLE else "medium"
        told.append(
            Finding(level, f"The score moved beyond chance: PSI {number(score.psi)}, limit {number(score.limit)}")
        )
    if beyond := [name for name, s in found if s.psi > s.limit]:
        told.append(Finding("low", f"Inputs that moved beyond chance: {words_of(beyond)}"))
    return told


def _shift(values: Floats, late: Flags, before: float, after: float, alarm: float, tolerated: float) -> Shift:
    cuts = edges(values[~late], int(min(before, after)))
    held = banded(values, cuts)
    was, now = (counts(held[side], len(cuts) + 2) for side in (~late, late))
    return shift(was, now, before, after, alarm, tolerated)


def _read(record: Record) -> tuple[Floats, Floats, Codes, Flags]:
    """Points, inputs, people and who is out of time, of all loans trained and judged on."""
    ws, names = record.ws, list(record.stage("train")["columns"])
    scores = read_table(ws.need("train", "scores.parquet")).sort_by(KEY)
    features = read_table(ws.need("derive", "features.parquet"), [KEY, *names])
    cohort = read_table(ws.need("cohort", "cohort.parquet"), [KEY, "person_id"])
    keys = scores[KEY].combine_chunks()
    features = features.take(positions(features, keys, "features"))
    person = cohort.take(positions(cohort, keys, "cohort"))["person_id"]
    points = record.scale.offset - record.scale.factor * scores["log_odds"].to_numpy()
    inputs = np.column_stack([features[name].to_numpy() for name in names]).astype(np.float64)
    return points, inputs, codes(person), pc.equal(scores["split"], "out_of_time").to_numpy()
