"""Commands on consent: what is open, why, and receipts."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import PARAMS, ParamsFile

app = typer.Typer(help="Look up consent: what is open and why; or give out a person's receipts.", no_args_is_help=True)
HOUSE = Path("data/contracts/house.yaml")
PersonId = Annotated[str, typer.Argument(help="A person, by the id the source gives or by pseudonym.")]


@app.command("status")
def consent_status(
    person: PersonId,
    at: Annotated[datetime | None, typer.Option(help="The moment to ask at, in UTC; if not as_of.")] = None,
    params: ParamsFile = PARAMS,
) -> None:
    """Show what a person's consents open, for what, by which artefact and until when."""
    from pipeline.ledger.commands import print_status
    from pipeline.params import read_params

    print_status(read_params(params), person, at)


@app.command("why")
def consent_why(
    application: Annotated[str, typer.Argument(help="An application, by the id the source gives or by pseudonym.")],
    category: Annotated[str, typer.Argument(help="A category of data, as in payments.")],
    purpose: Annotated[str | None, typer.Option(help="What for, if not for the run's own purpose.")] = None,
    params: ParamsFile = PARAMS,
) -> None:
    """Show why a category is open or closed to an application: the gate's conditions, one by one."""
    from pipeline.ledger.commands import print_why
    from pipeline.params import read_params

    print_why(read_params(params), application, category, purpose)


@app.command("receipt")
def consent_receipt(
    person: PersonId,
    out: Annotated[
        Path | None, typer.Option(help="Where to write, readable by you alone; if not to the screen.")
    ] = None,
    house: Annotated[Path, typer.Option(help="What receipts say of the house that asked for consent.")] = HOUSE,
    params: ParamsFile = PARAMS,
) -> None:
    """Give out a person's consent receipts, one an artefact, as ISO/IEC TS 27560 has them, in JSON-LD."""
    from pipeline.ledger.commands import print_receipts
    from pipeline.params import read_params

    print_receipts(read_params(params), person, out, house)
