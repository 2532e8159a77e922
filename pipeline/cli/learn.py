"""Commands on learning, beside the line: hold the model against its challengers, look for better settings."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import PARAMS, ParamsFile

app = typer.Typer()
PANEL = "Learning"


@app.command(rich_help_panel=PANEL)
def compare(params: ParamsFile = PARAMS) -> None:
    """Compare the model with its challengers on the same folds: one table, logged, with champion and challenger."""
    from pipeline.compare.table import as_table
    from pipeline.console import out, progress, show
    from pipeline.params import read_params
    from pipeline.run import run_stage
    from pipeline.workspace import Workspace, read_json

    read = read_params(params)
    ws = Workspace(read.workspace)
    with progress("compare") as tell:
        summary = run_stage("compare", read, ws, tell)
    found, seconds = (read_json(ws.need("compare", f"{name}.json")) for name in ("compare", "seconds"))
    out.print(as_table(found, seconds))
    show(summary)


@app.command(rich_help_panel=PANEL)
def tune(
    params: ParamsFile = PARAMS,
    seconds: Annotated[
        float | None, typer.Option(help="Stop after so long; what is found is then not reproducible.", min=1)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write what is found as well, for train.tuned to name.")
    ] = None,
) -> None:
    """Search for settings that beat the defaults beyond noise, out of fold; a search that was stopped goes on."""
    from pipeline import audit
    from pipeline import tune as tuning
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.workspace import Workspace

    read = read_params(params)
    ws = Workspace(read.workspace)
    audit.ready(read, ws)
    with progress("tune") as tell:
        summary = tuning.run(read, ws, tell, seconds, out)
    audit.record(read, ws, summary)
    show(summary)
