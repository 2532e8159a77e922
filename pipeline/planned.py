"""What measuring costs: the plan of each table as it ran on a batch of a run's people, step by step."""

from collections.abc import Sequence
from contextlib import closing

from rich.table import Table as Grid

from features.declare import Feature
from features.groups import Group
from features.joined import JOINED
from features.plan import grouped, plan
from features.steps import Result
from features.tables import EVENT_TABLES
from pipeline.console import out, progress
from pipeline.derive import COHORT, KEY, asked, measure
from pipeline.engines import open_engine
from pipeline.measure import Taken
from pipeline.params import Params
from pipeline.workspace import Workspace
from saakh.errors import ConfigError

PEOPLE = 2_000
MEASURED = tuple(table.name for table in (*EVENT_TABLES, *JOINED))


def print_plan(params: Params, table: str | None, people: int = PEOPLE) -> None:
    """Measure the first people of the cohort, and print each table's scans, cells, rows and seconds.

    A table that there is not is a `ConfigError`.
    """
    if table is not None and table not in MEASURED:
        raise ConfigError(f"no table '{table}' to measure; there are {', '.join(MEASURED)}")
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


def _together(features: tuple[Feature, ...]) -> Sequence[Group | Result]:
    """Features of one table by the step that they are read off."""
    if not features:
        return ()
    table = features[0].table
    return plan(table, features).results if table.state else grouped(table, features)


def _grid(name: str, steps: list[Taken], features: tuple[Feature, ...]) -> Grid:
    mine = [step for step in steps if step.table == name]
    columns = sum(len(f.columns) for f in features)
    seconds = sum(step.seconds for step in mine)
    scans = sum(not step.is_in_memory for step in mine)
    scanned = "1 scan" if scans == 1 else f"{scans} scans"
    title = f"{name}: {len(features)} features, {columns} columns, {scanned}, {seconds:.2f} s"
    grid = Grid(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("step", "makes", "rows", "seconds", "of"):
        grid.add_column(heading, justify="right" if heading in {"rows", "seconds"} else "left", overflow="fold")
    made = {g.name: ", ".join(feature.name for feature in g.features) for g in _together(features)}
    for step in mine:
        said = made.get(step.name, "")
        said = said if len(said) <= 60 else f"{said[:57]}..."
        grid.add_row(step.name, step.kind, f"{step.rows:,}", f"{step.seconds:.3f}", said)
    return grid
