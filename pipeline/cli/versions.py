"""Commands on versions of a scorecard: release, go back, retire."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.erase import DAYS
from pipeline.cli.options import PARAMS, ParamsFile
from pipeline.cli.scorecards import PANEL, File, Trust

app = typer.Typer()
Approver = Annotated[str, typer.Option(help="Who approves: a short name, as asha.rao.")]
Note = Annotated[str, typer.Option(help="Why, for whoever reads the record.")]
Key = Annotated[Path, typer.Option(help="The approver's private key, another than the one that signed the scorecard.")]


@app.command(rich_help_panel=PANEL)
def release(
    scorecard: File, approver: Approver, note: Note, key: Key, trust: Trust = None, params: ParamsFile = PARAMS
) -> None:
    """Make a signed scorecard the champion, once its evidence is whole and somebody else approves it."""
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.release import Approver as Approving
    from pipeline.release import run
    from pipeline.workspace import Workspace

    told = read_params(params)
    with progress("release") as tell:
        summary = run(told, Workspace(told.workspace), scorecard, trust or (), Approving.of(approver, note, key), tell)
    show(summary)


@app.command(rich_help_panel=PANEL)
def rollback(approver: Approver, note: Note, key: Key, trust: Trust = None, params: ParamsFile = PARAMS) -> None:
    """Make the champion before the present one the champion again."""
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.release import Approver as Approving
    from pipeline.release import rollback as go_back
    from pipeline.workspace import Workspace

    told = read_params(params)
    with progress("rollback") as tell:
        summary = go_back(told, Workspace(told.workspace), trust or (), Approving.of(approver, note, key), tell)
    show(summary)


@app.command(rich_help_panel=PANEL)
def retire(
    scorecard: File,
    why: Annotated[str, typer.Option(help="Why: superseded, expired, stopped, law or purpose_ended.")],
    data: Annotated[Literal["seal", "destroy"], typer.Option(help="What becomes of its own record.")],
    hold: Annotated[
        str | None, typer.Option(help="What the sealed copy is for: statute, court_order, regulator or dispute.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="The day by which the sealed copy is destroyed.", formats=DAYS)
    ] = None,
    champion: Annotated[
        bool, typer.Option("--champion", help="Even when it is the champion, so that nothing decides.")
    ] = False,
    params: ParamsFile = PARAMS,
) -> None:
    """Wind a version down: no service uses it, its data are sealed or destroyed, its partners are listed."""
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.retire import Asked, run
    from pipeline.workspace import Workspace

    told = read_params(params)
    asked = Asked(why, data, hold, until.date() if until else None, champion)
    with progress("retire") as tell:
        summary = run(told, Workspace(told.workspace), scorecard, asked, tell)
    show(summary)
