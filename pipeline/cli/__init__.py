"""The command line. Each command reads its arguments, calls one function, and says what happened."""

import atexit
import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before LightGBM: keeps training quick beside a busy process

from pipeline.cli import (
    audit,
    audits,
    consent,
    convert,
    decide,
    erase,
    features,
    learn,
    monitor,
    policy,
    privacy,
    scorecards,
    validate,
    versions,
)
from pipeline.cli.options import PARAMS, ParamsFile, Policies
from pipeline.run import STAGES
from saakh.errors import SaakhError

app = typer.Typer(
    name="saakh",
    help="Open credit scoring for people who have a phone and no credit file: from raw drops to a verified scorecard.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for _name, _commands in (("features", features), ("consent", consent), ("policy", policy), ("audit", audit)):
    app.add_typer(_commands.app, name=_name)
app.add_typer(privacy.key, name="key", rich_help_panel="Data of your own")
app.command("reidentify", rich_help_panel="Privacy")(privacy.reidentify)
app.command("export-table", rich_help_panel="Privacy")(privacy.export_table)
app.add_typer(learn.app)
app.add_typer(decide.app)  # without a name: its commands stand beside the stages
app.command(rich_help_panel="Scorecards")(monitor.monitor)
app.add_typer(erase.app, name="retention")
app.command(rich_help_panel="People")(erase.erase)
app.add_typer(scorecards.app)
app.command(rich_help_panel="Scorecards")(convert.convert)
app.add_typer(versions.app)


def _stage(name: str, sentence: str) -> None:
    def command(params: ParamsFile = PARAMS) -> None:
        _run([name], params)

    command.__doc__ = sentence
    app.command(name, rich_help_panel="Stages, in order")(command)


def _run(stages: list[str], params_file: Path, policies: Sequence[str] = ()) -> None:
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.run import run_stage
    from pipeline.workspace import Workspace

    params = read_params(params_file, policies)
    for name in stages:
        with progress(name) as tell:
            summary = run_stage(name, params, Workspace(params.workspace), tell)
        show(summary, in_full=len(stages) == 1)


@app.command(rich_help_panel="The whole line")
def run(params: ParamsFile = PARAMS, policy: Policies = None) -> None:
    """Run every stage in order, from raw drops to a verified scorecard, and sum up."""
    from pipeline.closing import close
    from pipeline.params import read_params
    from pipeline.policy import read_policies

    asked = tuple(policy or ())
    read_policies(read_params(params, asked).policy)  # a policy that cannot be read stops before the first stage
    _run(list(STAGES), params, asked)
    close(read_params(params, asked))


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
app.command(rich_help_panel="Reports to sign")(validate.validate)
app.command(rich_help_panel="Reports to sign")(validate.evidence)
for _audit in (audits.minimise, audits.proxies, audits.membership, audits.fairness):
    app.command(rich_help_panel="Audits of a run")(_audit)


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


@app.command(rich_help_panel="Scorecards")
def verify(
    scorecard: Annotated[Path, typer.Argument(help="A scorecard file.")], trust: scorecards.Trust = None
) -> None:
    """Verify a scorecard: its digests, its signature, its model in both forms, and its own golden vectors."""
    from pipeline import verify as verification
    from pipeline.console import progress, show

    with progress("verify") as tell:
        summary = verification.run(scorecard, tell, trust or None)
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


def main() -> None:
    """The `saakh` command: a user's mistake ends with one message and the exit code of its kind."""
    # A kill ends like an error, so that what is half-written or spilled to disk goes.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    atexit.register(gc.freeze)  # else Python looks for cycles among a million objects that go with the process anyway
    try:
        app()
    except Exception as error:
        from pipeline.console import show_error

        show_error(error)
        sys.exit(error.exit_code if isinstance(error, SaakhError) else SaakhError.exit_code)


if __name__ == "__main__":
    main()
