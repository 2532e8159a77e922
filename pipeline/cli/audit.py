"""Commands on the audit log and the sharing register."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import PARAMS, ParamsFile

app = typer.Typer(help="The audit log: verify it, sign it, look up records and shares.", no_args_is_help=True)


@app.command("verify")
def audit_verify(
    log: Annotated[Path | None, typer.Argument(help="A log; without, the workspace's own.")] = None,
    key: Annotated[str | None, typer.Option(help="The public key: a PEM file, or 64 hexadecimal digits.")] = None,
    anchor: Annotated[list[str] | None, typer.Option(help="A hash printed earlier; may be given again.")] = None,
    params: ParamsFile = PARAMS,
) -> None:
    """Verify the audit log: no record edited, dropped or moved, none cut off, and the head signed by the key."""
    from pipeline.audit import report
    from pipeline.params import read_params

    report.show_verified(read_params(params), log, key, anchor or ())


@app.command("key")
def audit_key(path: Annotated[Path, typer.Argument(help="Where to write it; PATH.pub is its public half.")]) -> None:
    """Make a new key that signs the log's heads, readable by you alone."""
    from pipeline.audit import report

    report.make_key(path)


@app.command("sign")
def audit_sign(
    former: Annotated[str | None, typer.Option(help="The former public key; without, the log was unsigned.")] = None,
    params: ParamsFile = PARAMS,
) -> None:
    """Verify the whole log, then sign it with the configured key from here on: a first key, or another."""
    from pipeline.audit import report
    from pipeline.params import read_params

    report.sign(read_params(params), former)


@app.command("show")
def audit_show(
    kind: Annotated[str | None, typer.Option(help="Only this kind: stage, run, consent, share, ...")] = None,
    digest: Annotated[str | None, typer.Option(help="Only records that name this digest.")] = None,
    last: Annotated[int | None, typer.Option(help="Only the last so many.", min=1)] = None,
    params: ParamsFile = PARAMS,
) -> None:
    """Print records of the audit log, one a line: of a kind, or those that name a file's digest."""
    from pipeline.audit import report
    from pipeline.params import read_params

    report.show_records(read_params(params), kind, digest, last)


@app.command("shares")
def audit_shares(
    recipient: Annotated[str | None, typer.Option(help="Only what this recipient was given.")] = None,
    artefact: Annotated[str | None, typer.Option(help="Only this artefact, by its digest.")] = None,
    to: Annotated[Path | None, typer.Option(help="Write the register here as CSV.")] = None,
    params: ParamsFile = PARAMS,
) -> None:
    """Print the sharing register: who was given what, when and why."""
    from pipeline.audit import report
    from pipeline.params import read_params

    report.show_register(read_params(params), recipient, artefact, to)


@app.command("share")
def audit_share(
    recipient: Annotated[str, typer.Argument(help="Who is given it: a short name, as credit-bureau.")],
    artefact: Annotated[Path, typer.Argument(help="The file; its digest is recorded, not its name.")],
    what: Annotated[str, typer.Option(help="What it is: scorecard, scores, features, model, report, ...")],
    why: Annotated[str, typer.Option(help="Why: co_lending, credit_bureau, regulator, auditor, ...")],
    rows: Annotated[int, typer.Option(help="How many applicants it holds.", min=0)] = 0,
    params: ParamsFile = PARAMS,
) -> None:
    """Enter into the sharing register that a recipient is given a file."""
    from pipeline.audit import report
    from pipeline.params import read_params

    report.enter_share(read_params(params), recipient, what, artefact, why, rows)
