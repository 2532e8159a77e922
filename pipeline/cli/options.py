"""Options that many commands share."""

from pathlib import Path
from typing import Annotated

import typer

ParamsFile = Annotated[Path, typer.Option("--params", "-p", help="The parameters of the run.")]
Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policy", help="A policy to run under instead of the parameters'; may be repeated, the strictest wins."
    ),
]
PARAMS = Path("params.yaml")
