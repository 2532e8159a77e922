"""Commands that look up what is measured."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import PARAMS, ParamsFile
from saakh.errors import ConfigError

app = typer.Typer(
    help="Look up what is measured: list, show, SQL, catalogue and plan; scaffold a new feature.", no_args_is_help=True
)


@app.command("list")
def features_list(family: Annotated[str | None, typer.Option(help="Only this family.")] = None) -> None:
    """List the declared features, one line each."""
    from pipeline.catalogue import print_list

    print_list(family)


@app.command("show")
def features_show(name: Annotated[str, typer.Argument(help="A feature or one of its columns.")]) -> None:
    """Show everything that is declared, and derived, about one feature."""
    from pipeline.catalogue import print_feature

    print_feature(name)


@app.command("sql")
def features_sql(
    name: Annotated[str, typer.Argument(help="A feature or one of its columns.")],
    dialect: Annotated[str, typer.Option(help="The SQL dialect: duckdb, or another that Ibis speaks.")] = "duckdb",
) -> None:
    """Print the SQL that computes a feature, for an auditor to read."""
    from pipeline.catalogue import print_sql

    print_sql(name, dialect)


@app.command("docs")
def features_docs(
    out: Annotated[Path, typer.Option(help="Where to write the Markdown.")] = Path("docs/catalogue.md"),
    html: Annotated[Path | None, typer.Option(help="Write a page to search instead, to this file.")] = None,
    params: Annotated[
        Path | None, typer.Option("--params", "-p", help="A run whose distributions and coverage the page shows.")
    ] = None,
) -> None:
    """Write the catalogue of features: as Markdown, or as a page that needs no network."""
    from pipeline.catalogue import write_docs, write_page
    from pipeline.params import read_params

    if html is not None:
        write_page(html, None if params is None else read_params(params))
    elif params is not None:
        raise ConfigError("the Markdown holds no distributions; name a page for them with --html")
    else:
        write_docs(out)


@app.command("new")
def features_new(
    name: Annotated[str, typer.Argument(help="The feature's name, as in call_short_share.")],
    table: Annotated[str, typer.Option(help="The table it is measured on.")],
    family: Annotated[str, typer.Option(help="The family it belongs to.")] = "lifestyle",
    module: Annotated[str, typer.Option(help="The module to write to, if not that of the table's topic.")] = "",
) -> None:
    """Begin a feature: a declaration that runs, and the page of its example, both with TODOs for you to finish."""
    from pipeline.catalogue.scaffold import begin

    begin(name, table, family, module)


@app.command("explain")
def features_explain(
    table: Annotated[str | None, typer.Option(help="Only this table.")] = None,
    people: Annotated[int, typer.Option(help="How many applications to measure.", min=1)] = 2_000,
    params: ParamsFile = PARAMS,
) -> None:
    """Print the plan as it runs on some of a run's applications: scans, cells, rows and seconds of each table."""
    from pipeline.params import read_params
    from pipeline.planned import print_plan

    print_plan(read_params(params), table, people)
