"""Options that many commands share."""

from pathlib import Path
from typing import Annotated

import typer

ParamsFile = Annotated[Path, typer.Option("--params", "-p", help="The parameters of the run.")]
PARAMS = Path("params.yaml")
