"""The command that holds a new batch against a scorecard; its exit code is the severity it found."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import PARAMS, ParamsFile
from saakh.errors import ConfigError


def monitor(
    new_batch: Annotated[Path, typer.Argument(help="The workspace of the batch: cohort, features, what matured.")],
    as_of: Annotated[
        str | None,
        typer.Option(help="The moment the batch is seen at, as 2026-07-01T00:00:00Z; if not the parameters'."),
    ] = None,
    params: ParamsFile = PARAMS,
) -> None:
    """Hold a new batch against the scorecard; exits with 0 when calm, 20 to watch, 21 to act."""
    from pipeline import monitor as monitoring
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.workspace import Workspace

    read = read_params(params)
    with progress("monitor") as tell:
        found = monitoring.run(read, Workspace(read.workspace), Workspace(new_batch), _moment(as_of), tell)
    show(found.summary)
    raise typer.Exit(found.exit_code)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigError("--as-of is no moment with a time zone, as in 2026-07-01T00:00:00Z")
    from datetime import UTC

    return moment.astimezone(UTC)
