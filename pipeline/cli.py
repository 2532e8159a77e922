"""The command line. Each command reads its arguments, calls one function, and says what happened."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before LightGBM: keeps training quick beside a busy process

from pipeline.run import STAGES
from saakh.errors import ConfigError, SaakhError

app = typer.Typer(
    name="saakh",
    help="Open credit scoring for people who have a phone and no credit file: from raw drops to a verified scorecard.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
features_app = typer.Typer(
    help="Look up what is measured: list, show, SQL and catalogue; or begin a new feature.", no_args_is_help=True
)
app.add_typer(features_app, name="features")

ParamsFile = Annotated[Path, typer.Option("--params", "-p", help="The parameters of the run.")]
PARAMS = Path("params.yaml")


def _stage(name: str, sentence: str) -> None:
    def command(params: ParamsFile = PARAMS) -> None:
        _run([name], params)

    command.__doc__ = sentence
    app.command(name, rich_help_panel="Stages, in order")(command)


def _run(stages: list[str], params_file: Path) -> None:
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.run import run_stage
    from pipeline.workspace import Workspace

    params = read_params(params_file)
    for name in stages:
        with progress(name) as tell:
            summary = run_stage(name, params, Workspace(params.workspace), tell)
        show(summary, in_full=len(stages) == 1)


@app.command(rich_help_panel="The whole line")
def run(params: ParamsFile = PARAMS) -> None:
    """Run every stage in order, from raw drops to a verified scorecard, and sum up."""
    from pipeline.closing import close
    from pipeline.params import read_params

    _run(list(STAGES), params)
    close(read_params(params))


@app.command(rich_help_panel="The whole line")
def simulate(params: ParamsFile = PARAMS) -> None:
    """Draw a synthetic population whose true default probabilities are known, as raw drops."""
    _run(["simulate"], params)


@app.command(rich_help_panel="The whole line")
def judge(params: ParamsFile = PARAMS) -> None:
    """Hold the model's scores against the truth of a synthetic population, which no stage may read."""
    _run(["judge"], params)


for _name, _sentence in STAGES.items():
    _stage(_name, _sentence)


@app.command(rich_help_panel="Data of your own")
def init(
    folder: Annotated[Path, typer.Argument(help="A folder of CSV, JSON Lines or Parquet files.")],
    out: Annotated[Path, typer.Option(help="Where to write the mapping.")] = Path("data/mappings/mine.yaml"),
) -> None:
    """Inspect a folder of files and write a first mapping for you to finish."""
    from pipeline.console import out as console
    from pipeline.console import show
    from pipeline.init import draft

    show(draft(folder, out))
    console.print(f"Open {out}, finish what is marked TODO, name it in params.yaml, then run `saakh ingest`.")


@app.command(rich_help_panel="Data of your own")
def key(path: Annotated[Path, typer.Argument(help="Where to write the key; it must not exist yet.")]) -> None:
    """Make a new key for pseudonyms, readable by you alone."""
    from pipeline.console import out
    from pipeline.pseudonyms import new_key

    new_key(path)
    out.print(f"A new key is at {path}. Keep it apart from the data: whoever holds both can test guesses.")


@app.command(rich_help_panel="Scorecards")
def verify(scorecard: Annotated[Path, typer.Argument(help="A scorecard file.")]) -> None:
    """Verify a scorecard: its digests, its model in both forms, and its own golden vectors."""
    from pipeline import verify as verification
    from pipeline.console import progress, show

    with progress("verify") as tell:
        summary = verification.run(scorecard, tell)
    show(summary)


@app.command(rich_help_panel="Scorecards")
def rebuild(
    out: Annotated[Path, typer.Argument(help="Where to write the scorecard.")],
    version: Annotated[str, typer.Option(help="The registered model's alias or number.")] = "candidate",
    params: ParamsFile = PARAMS,
) -> None:
    """Rebuild a scorecard, byte for byte, from its registered MLflow run alone."""
    from pipeline import export
    from pipeline.console import out as console
    from pipeline.params import read_params
    from pipeline.workspace import Workspace

    export.rebuild(Workspace(read_params(params).workspace), out, version)
    console.print(f"Wrote {out}, rebuilt from the registered model '{version}'.")


@features_app.command("list")
def features_list(family: Annotated[str | None, typer.Option(help="Only this family.")] = None) -> None:
    """List the declared features, one line each."""
    from pipeline.catalogue import print_list

    print_list(family)


@features_app.command("show")
def features_show(name: Annotated[str, typer.Argument(help="A feature or one of its columns.")]) -> None:
    """Show everything that is declared, and derived, about one feature."""
    from pipeline.catalogue import print_feature

    print_feature(name)


@features_app.command("sql")
def features_sql(
    name: Annotated[str, typer.Argument(help="A feature or one of its columns.")],
    dialect: Annotated[str, typer.Option(help="The SQL dialect: duckdb, or another that Ibis speaks.")] = "duckdb",
) -> None:
    """Print the SQL that computes a feature, for an auditor to read."""
    from pipeline.catalogue import print_sql

    print_sql(name, dialect)


@features_app.command("docs")
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


@features_app.command("new")
def features_new(
    name: Annotated[str, typer.Argument(help="The feature's name, as in call_short_share.")],
    table: Annotated[str, typer.Option(help="The table it is measured on.")],
    family: Annotated[str, typer.Option(help="The family it belongs to.")] = "lifestyle",
    module: Annotated[str, typer.Option(help="The module to write to, if not that of the table's topic.")] = "",
) -> None:
    """Begin a feature: a declaration that runs, and the page of its example, both with TODOs for you to finish."""
    from pipeline.catalogue.scaffold import begin

    begin(name, table, family, module)


def main() -> None:
    """The `saakh` command: a user's mistake ends with one message and the exit code of its kind."""
    # A kill ends like an error, so that what is half-written or spilled to disk goes.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        app()
    except Exception as error:
        from pipeline.console import show_error

        show_error(error)
        sys.exit(error.exit_code if isinstance(error, SaakhError) else SaakhError.exit_code)


if __name__ == "__main__":
    main()
