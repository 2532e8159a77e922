"""The command that writes a scorecard in another format."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.scorecards import File, Trust


def convert(
    scorecard: File,
    to: Annotated[str, typer.Option(help="onnx, sql, lightgbm (the trees alone) or mlflow.")],
    out: Annotated[Path | None, typer.Option(help="Where to write; by default beside the scorecard.")] = None,
    floats: Annotated[bool, typer.Option("--floats", help="ONNX: take float32 inputs; by default float64.")] = False,
    dialect: Annotated[str, typer.Option(help="SQL: duckdb or spark.")] = "duckdb",
    table: Annotated[str, typer.Option(help="SQL: the table of inputs and refusals.")] = "features",
    key: Annotated[str, typer.Option(help="SQL: the column that tells its rows apart.")] = "application_id",
    trust: Trust = None,
) -> None:
    """Write a scorecard as ONNX, SQL, LightGBM's text or an MLflow model, proven on its golden vectors first."""
    from pipeline import convert as conversion
    from pipeline.console import progress, show

    asked = conversion.Asked(floats, dialect, table, key)
    with progress("convert") as tell:
        summary = conversion.run(scorecard, to, out, asked, tell, trust or None)
    show(summary)
