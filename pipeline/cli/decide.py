"""Commands on decisions: decide, search a strategy, write an applicant's letter."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.options import PARAMS, ParamsFile

app = typer.Typer()
PANEL = "Decisions"


@app.command(rich_help_panel=PANEL)
def decide(params: ParamsFile = PARAMS) -> None:
    """Decide on every application of the cohort: offers, referrals, declines with their grounds."""
    _run("decide", params)


@app.command(rich_help_panel=PANEL)
def optimise(params: ParamsFile = PARAMS) -> None:
    """Search cut-offs and limits for expected profit under bounds, and draw what can be had."""
    _run("optimise", params)


@app.command(rich_help_panel=PANEL)
def letter(
    application: Annotated[str, typer.Argument(help="An application, by the id the source gives or by pseudonym.")],
    lang: Annotated[str, typer.Option(help="The language: en or hi.")] = "en",
    form: Annotated[Literal["text", "html"], typer.Option("--format", help="Plain text or a page.")] = "text",
    out: Annotated[
        Path | None, typer.Option(help="Where to write, readable by you alone; if not to the screen.")
    ] = None,
    params: ParamsFile = PARAMS,
) -> None:
    """Write the letter to an applicant: what was decided, why, and how to object."""
    from pipeline.letter.commands import print_letter
    from pipeline.params import read_params

    print_letter(read_params(params), application, lang, form, out)


def _run(stage: str, params_file: Path) -> None:
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.run import run_stage
    from pipeline.workspace import Workspace

    params = read_params(params_file)
    with progress(stage) as tell:
        summary = run_stage(stage, params, Workspace(params.workspace), tell)
    show(summary)
