"""Commands that make what a risk team signs: the validation report, and the pack of evidence around it."""

from typing import Annotated

import typer

from pipeline.cli.options import PARAMS, ParamsFile

Final = Annotated[bool, typer.Option("--final", help="Refuse to write as long as anything is missing.")]


def validate(final: Final = False, params: ParamsFile = PARAMS) -> None:
    """Write the validation report out of the run's own files: page, PDF and JSON; a draft says what is missing."""
    from pipeline import validate as validation
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.workspace import Workspace

    read = read_params(params)
    with progress("validate") as tell:
        summary = validation.run(read, Workspace(read.workspace), tell, final=final)
    show(summary)


def evidence(final: Final = False, params: ParamsFile = PARAMS) -> None:
    """Pack the evidence: validation report, model card, Annex IV outline, inventory entry, lineage, digests."""
    from pipeline import evidence as pack
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.workspace import Workspace

    read = read_params(params)
    with progress("evidence") as tell:
        summary = pack.run(read, Workspace(read.workspace), tell, final=final)
    show(summary)
