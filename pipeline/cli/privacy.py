"""Commands on keys, on who could be told from the others, and on giving a table out."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import PARAMS, ParamsFile
from saakh.errors import ConfigError

key = typer.Typer(help="Keys of pseudonyms and shards: make one, keep one, change one.", no_args_is_help=True)
KeyFile = Annotated[Path | None, typer.Argument(help="Where to write the key; it must not exist yet.")]
KeyRing = Annotated[str | None, typer.Option("--ring", help="Keep it in the system's keyring, as service/name.")]


@key.command("new")
def key_new(path: KeyFile = None, ring: KeyRing = None) -> None:
    """Make a new key for pseudonyms, readable by you alone."""
    from pipeline.console import out
    from pipeline.pseudonyms import new_key, new_key_in_ring

    if ring is not None and path is None:
        new_key_in_ring(ring)
    elif path is not None and ring is None:
        new_key(path)
    else:
        raise ConfigError("name either a file or, with --ring, a place in the keyring")
    said = f"A new key is at {path or ring}. Keep it apart from the data: whoever holds both can test guesses."
    out.print(said, markup=False, emoji=False, soft_wrap=True)


@key.command("shard")
def key_shard(path: KeyFile = None, ring: KeyRing = None, params: ParamsFile = PARAMS) -> None:
    """Keep the key that shards follow from, so that they stay as they are when the key of pseudonyms is changed."""
    from pipeline.console import out
    from pipeline.params import read_params
    from pipeline.pseudonyms import keep_in_file, keep_in_ring, read_shard_key

    held = read_shard_key(read_params(params).ingest)
    if ring is not None and path is None:
        keep_in_ring(ring, held)
    elif path is not None and ring is None:
        keep_in_file(path, held)
    else:
        raise ConfigError("name either a file or, with --ring, a place in the keyring")
    named = f"ingest.shard_key_file to {path}" if path else f"ingest.shard_key_ring to {ring}"
    out.print(f"The key of shards is kept. Set {named}.", markup=False, emoji=False, soft_wrap=True)


@key.command("rotate")
def key_rotate(params: ParamsFile = PARAMS) -> None:
    """Change the key: read the raw drops again under the one that is named now, and rebuild what was there."""
    from pipeline import rotate
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.workspace import Workspace

    read = read_params(params)
    with progress("rotate") as tell:
        summary = rotate.run(read, Workspace(read.workspace), tell)
    show(summary)


def reidentify(params: ParamsFile = PARAMS) -> None:
    """Measure how many people a few known values would single out, and how many share each record."""
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.run import run_stage
    from pipeline.workspace import Workspace

    read = read_params(params)
    with progress("reidentify") as tell:
        summary = run_stage("reidentify", read, Workspace(read.workspace), tell)
    show(summary)


def export_table(
    table: Annotated[str, typer.Argument(help="A canonical table.")],
    to: Annotated[str, typer.Option(help="Who is given it: a short name, as credit-bureau.")],
    why: Annotated[str, typer.Option(help="Why: co_lending, credit_bureau, regulator, auditor, research, ...")],
    columns: Annotated[str, typer.Option(help="The columns to give out, parted by commas.")],
    out: Annotated[Path, typer.Option(help="Where to write, as .csv or .parquet, readable by you alone.")],
    times: Annotated[str, typer.Option(help="How coarse times are: day, week, month or year.")] = "month",
    step: Annotated[
        list[str] | None, typer.Option(help="column=width: round a number down; may be given again.")
    ] = None,
    k: Annotated[int, typer.Option(help="How many people must share each record, 10 at least.")] = 10,
    thin: Annotated[bool, typer.Option(help="Leave out the records that fewer share instead of stopping.")] = False,
    params: ParamsFile = PARAMS,
) -> None:
    """Give a table out: what people agreed to share, under the recipient's own pseudonyms, no record of few."""
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.reidentify.give import export_table as give
    from pipeline.reidentify.give import wanted
    from pipeline.workspace import Workspace

    read = read_params(params)
    asked = wanted(table, columns.split(","), to, why, out, times, step or (), k, thin)
    with progress("export-table") as tell:
        summary = give(read, Workspace(read.workspace), asked, tell)
    show(summary)
