"""What measuring costs: the plan of each table as it ran on a batch of a run's people, step by step."""

from contextlib import closing

from rich.table import Table as Grid

from features.declare import Feature
from features.plan import plan
from pipeline.console import out, progress
from pipeline.derive import COHORT, KEY, asked, measure
from pipeline.engines import open_engine
from pipeline.measure import Taken
from pipeline.params import Params
from pipeline.workspace import Workspace

PEOPLE = 2_000


def print_plan(params: Params, table: str | None, people: int = PEOPLE) -> None:
    """Measure the first people of the cohort, and print each table's scans, cells, rows and seconds."""
    ws = Workspace(params.workspace)
    steps: list[Taken] = []
    with closing(open_engine(params)) as engine, progress("explain") as tell:
        cohort = engine.arrow(
            engine.read(ws.need("cohort", "cohort.parquet"), COHORT).select(COHORT), ["person_id", KEY]
        )
        batch = cohort.slice(0, people)
        question = asked(params, ws, engine)
        measure(engine, batch, question, tell, steps.append)
    out.print(f"{len(batch):,} applications of {len(cohort):,}; columns are what the steps end in.", style="bold")
    for name in dict.fromkeys(step.table for step in steps):
        if table in (None, name):
            out.print(_grid(name, steps, tuple(f for f in question.features if f.table.name == name)))


def _grid(name: str, steps: list[Taken], features: tuple[Feature, ...]) -> Grid:
    mine = [step for step in steps if step.table == name]
    columns = sum(len(f.columns) for f in features)
    seconds = sum(step.seconds for step in mine)
    title = f"{name}: {len(features)} features, {columns} columns, {len(mine) - 1} scans, {seconds:.2f} s"
    grid = Grid(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("step", "makes", "rows", "seconds", "of"):
        grid.add_column(heading, justify="right" if heading in {"rows", "seconds"} else "left", overflow="fold")
    made = (
        {r.name: ", ".join(f.name for f in r.features) for r in plan(features[0].table, features).results}
        if features
        else {}
    )
    for step in mine:
        said = made.get(step.name, "")
        said = said if len(said) <= 60 else f"{said[:57]}..."
        grid.add_row(step.name, step.kind, f"{step.rows:,}", f"{step.seconds:.3f}", said)
    return grid
