"""What the consent gate costs of derive's processor time: the same features with the gate and with its work taken out.

`python -m benchmarks.gate PARAMS.yaml [APPLICATIONS]` measures some applications of a finished run, on one thread, each
way in turn. Without its work, what is open is read from a table made before, and no event's time is compared with
ranges. Both ways see the same rows where ranges cover all that was ingested; the table tells how many each saw.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import asof, derive, gate
from pipeline.derive import COHORT, KEY
from pipeline.engines import Engine, open_engine
from pipeline.params import Params, read_params
from pipeline.question import Question, asked
from pipeline.workspace import Workspace

ROUNDS, APPLICATIONS = 3, 4_000


def main(arguments: Sequence[str]) -> None:
    """Print processor seconds with and without the gate's work, and its share."""
    params = read_params(Path(arguments[0])).model_copy(update={"threads": 1})
    found = measured(params, int(arguments[1]) if len(arguments) > 1 else APPLICATIONS)
    print("".ljust(12) + "CPU seconds, least of 3".rjust(26) + "events seen".rjust(14))
    for way, (seconds, events) in found.items():
        print(way.ljust(12) + f"{seconds:.2f}".rjust(26) + f"{events:,}".rjust(14))
    whole, without = found["with"][0], found["without"][0]
    print(f"the gate: {(whole - without) / whole:.1%} of derive")


def measured(params: Params, applications: int) -> dict[str, tuple[float, int]]:
    """The least processor seconds and the events seen, each way."""
    ws = Workspace(params.workspace)
    took: dict[str, list[tuple[float, int]]] = {"with": [], "without": []}
    with closing(open_engine(params)) as engine:
        read = engine.read(ws.need("cohort", "cohort.parquet"), COHORT).select(COHORT)
        cohort = engine.arrow(read, ["person_id", KEY]).slice(0, applications)
        question = of(asked(params, ws, engine), cohort)
        once(engine, cohort, question)  # plans are made once
        for _ in range(ROUNDS):
            took["with"].append(once(engine, cohort, question))
            with open_before(engine, cohort, question):
                took["without"].append(once(engine, cohort, question))
    return {way: min(runs) for way, runs in took.items()}


def of(question: Question, cohort: pa.Table) -> Question:
    """The question about these people alone."""
    low, high = (cohort["person_id"][at].as_py() for at in (0, -1))
    return replace(question, events={n: t.filter(t.person_id.between(low, high)) for n, t in question.events.items()})


def once(engine: Engine, cohort: pa.Table, question: Question) -> tuple[float, int]:
    """Processor seconds of measuring, and events seen."""
    began = time.process_time()
    found = derive.measure(engine, cohort, question)
    return time.process_time() - began, pc.sum(found.coverage["rows_seen"]).as_py()


@contextmanager
def open_before(engine: Engine, cohort: pa.Table, question: Question) -> Iterator[None]:
    """What is open made beforehand, a row for each application and category, and ranges not looked at."""
    numbered = cohort.select(COHORT).set_column(0, KEY, pa.array(range(len(cohort)), pa.int64()))
    who = engine.table(numbered, "asking_before").select(KEY, "person_id", "asked_at")
    opened = gate.openings(who, question.consents, question.purpose, question.bounds)
    widest = opened.group_by([KEY, "category"]).agg(data_from=opened.data_from.min(), data_to=opened.data_to.max())
    engine.make("opened_before", widest)
    held = engine.named("opened_before")
    with (
        patch.object(derive, "openings", lambda *_: held),
        patch.object(asof, "covered", lambda _: ibis.literal(True)),
    ):
        yield


if __name__ == "__main__":
    main(sys.argv[1:])
