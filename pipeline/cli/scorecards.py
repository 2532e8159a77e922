"""Commands on scorecard files: sign, compare, score with one, serve it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import PARAMS

if TYPE_CHECKING:
    from pipeline.params import Params

app = typer.Typer()
File = Annotated[Path, typer.Argument(help="A scorecard file.")]
Trust = Annotated[
    list[str] | None,
    typer.Option(
        "--trust",
        help="The public key that must have signed it: a PEM file, or 64 hexadecimal digits; may be repeated.",
    ),
]
Stops = Annotated[
    list[Path] | None,
    typer.Option(
        "--stops",
        help="A kill switch or list of retired versions to heed, beside those of the scorecard's folder and workspace.",
    ),
]
Asked = Annotated[
    Path | None,
    typer.Option("--params", "-p", help="The parameters whose audit log tells of it; params.yaml, where it is there."),
]
PANEL = "Scorecards"


def recorded_by(named: Path | None) -> "Params | None":
    """The parameters named; else those of the usual file; None where that is not there, as beside keys alone."""
    from pipeline.params import read_params

    return read_params(named or PARAMS) if named or PARAMS.exists() else None


@app.command(rich_help_panel=PANEL)
def sign(
    scorecard: File,
    key: Annotated[Path, typer.Option(help="The private key; `saakh audit key FILE` makes one.")],
    params: Asked = None,
) -> None:
    """Sign a scorecard, so that whoever loads it can tell who made it; signing again gives the same bytes."""
    from pipeline import sign as signing
    from pipeline.console import progress, show

    with progress("sign") as tell:
        summary = signing.run(scorecard, key, tell, recorded_by(params))
    show(summary)


@app.command(rich_help_panel=PANEL)
def score(
    scorecard: Annotated[Path, typer.Option(help="The scorecard to score with.")],
    path: Annotated[
        Path | None, typer.Argument(metavar="WORKSPACE_OR_FEATURES", help="A workspace, or its features file.")
    ] = None,
    applicant: Annotated[
        Path | None, typer.Option(help="A folder of one person's raw files instead: read, scored and decided at once.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write; by default score/scores.parquet in the workspace, or to the screen."),
    ] = None,
    trust: Trust = None,
    stops: Stops = None,
    params: Asked = None,
) -> None:
    """Score all applications of a workspace of purpose `score`, with reasons, honouring what each refused.

    Or, with --applicant, one person's from raw files, with the decision.
    """
    from pipeline.console import progress, show

    if (path is None) == (applicant is None):
        raise typer.BadParameter("name a workspace, or one person's raw files with --applicant")
    if applicant is not None:
        _score_applicant(applicant, scorecard, out, trust, stops, params)
        return
    from pipeline import score as scoring

    assert path is not None
    with progress("score") as tell:
        summary = scoring.run(path, scorecard, tell, out, trust or None, recorded_by(params), stops or ())
    show(summary)


def _score_applicant(
    drop: Path, scorecard: Path, out: Path | None, trust: Trust, stops: Stops, params: Path | None
) -> None:
    from pipeline.arrows import without_pandas
    from pipeline.console import progress
    from pipeline.garbage import SELDOM, seldom_collected
    from pipeline.params import read_params

    with seldom_collected(10 * SELDOM), progress("applicant") as tell:
        without_pandas()  # before what makes arrays when it is imported
        from pipeline import applicant

        found = applicant.run(read_params(params or PARAMS), drop, scorecard, trust or None, stops or (), tell)
    applicant.print_found(found, out)


@app.command(rich_help_panel=PANEL)
def serve(
    scorecard: Annotated[Path, typer.Option(help="The scorecard to serve; a new version put there is taken up.")],
    trust: Trust = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0: any that is free.", min=0, max=65_535)] = 8000,
    look_seconds: Annotated[float, typer.Option(help="How often to look for a new version.", min=0.05)] = 2.0,
    stops: Stops = None,
) -> None:
    """Serve a scorecard over HTTP: score, explain, decide, health, version, metrics (needs the extra `serve`)."""
    from pipeline import serve as serving

    serving.run(scorecard, trust or None, host, port, look_seconds, stops or ())


@app.command(rich_help_panel=PANEL)
def diff(
    before: Annotated[Path, typer.Argument(help="A scorecard file.")],
    after: Annotated[Path, typer.Argument(help="Another.")],
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what changed between two scorecards: inputs, scaling, points moved, bands crossed, reasons."""
    from pipeline.diff import print_diff

    print_diff(before, after, as_json=json)
