"""Commands on erasure and on what is kept of people afterwards."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import PARAMS, ParamsFile, Policies

HELP = "What is kept: list sealed copies, open one, destroy those whose day has come, remove rows past their data life."
app = typer.Typer(help=HELP, no_args_is_help=True)
DAYS = ["%Y-%m-%d"]
COPY = Path("sealed_copy.zip")


def erase(
    people: Annotated[
        list[str] | None, typer.Argument(metavar="PERSON", help="By the id the source gives, or by pseudonym.")
    ] = None,
    contact: Annotated[
        list[str] | None, typer.Option(help="A number that others know them by, as the source writes it; repeatable.")
    ] = None,
    why: Annotated[str, typer.Option(help="Why: request, withdrawal or purpose_ended.")] = "request",
    hold: Annotated[
        str | None,
        typer.Option(help="Keep a sealed copy of each, for statute, court_order, regulator or dispute; with --until."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="The day by which the sealed copies are destroyed.", formats=DAYS)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say, in counts, what would go; change nothing.")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Derive everybody's features again, not only of those whose rows change.")
    ] = False,
    only_remove: Annotated[
        bool, typer.Option("--only-remove", help="Make nothing anew; `saakh run` is to follow.")
    ] = False,
    params: ParamsFile = PARAMS,
    policy: Policies = None,
) -> None:
    """Erase people from raw drops, tables, features, models, reports, runs and copies; make anew what depends on them.

    Named nobody, it finishes an erasure that was stopped.
    """
    from pipeline.erase import report
    from pipeline.params import read_params

    day = until.date() if until else None
    asked = read_params(params, policy or ()), people or (), contact or (), why, hold, day
    report.erase_people(*asked, is_dry=dry_run, is_anew=anew, is_removal=only_remove)


@app.command("list")
def retention_list(params: ParamsFile = PARAMS) -> None:
    """List the sealed copies: when each is to be destroyed, and what it is kept for."""
    from pipeline.params import read_params
    from pipeline.retention import report

    report.list_copies(read_params(params))


@app.command("run")
def retention_run(
    as_of: Annotated[datetime | None, typer.Option(help="The day to go by, if not today.", formats=DAYS)] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many would be destroyed and removed; change nothing.")
    ] = False,
    params: ParamsFile = PARAMS,
    policy: Policies = None,
) -> None:
    """Destroy sealed copies whose day has come, and remove rows that have outlived their data life."""
    from pipeline.params import read_params
    from pipeline.retention import report

    report.enforce(read_params(params, policy or ()), as_of.date() if as_of else None, is_dry=dry_run)


@app.command("open")
def retention_open(
    copy: Annotated[str, typer.Argument(help="A sealed copy, by its id.")],
    purpose: Annotated[str, typer.Option(help="What it is needed for: the purpose it was sealed for, and no other.")],
    out: Annotated[Path, typer.Option(help="Where to write it, a zip readable by you alone.")] = COPY,
    params: ParamsFile = PARAMS,
) -> None:
    """Open a sealed copy for its purpose; the audit log records it."""
    from pipeline.params import read_params
    from pipeline.retention import report

    report.open_for(read_params(params), copy, purpose, out)


@app.command("verify")
def retention_verify(
    receipt: Annotated[Path, typer.Argument(help="A receipt of an erasure or a destruction.")],
    key: Annotated[str | None, typer.Option(help="The public key: a PEM file, or 64 hexadecimal digits.")] = None,
    params: ParamsFile = PARAMS,
) -> None:
    """Verify a receipt's signature and print what it says."""
    from pipeline.erase import report
    from pipeline.params import read_params

    report.show_receipt(read_params(params), receipt, key)
