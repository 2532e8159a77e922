"""Simulate: draw a synthetic population whose true default probabilities are known, and write its raw drops.

The truth goes apart (`simulate.oracle`): no stage reads it, only `judge`.
"""

import gzip
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from io import BufferedIOBase
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa

from pipeline.engines import write_table
from pipeline.params import Params
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace
from pipeline.world.clock import Span
from pipeline.world.knobs import world
from pipeline.world.papers import APPLICATION_HEADER, REPAYMENT_HEADER
from pipeline.world.part import Part, Written, parts, write
from saakh.errors import ConfigError

HEADERS = {
    "applications.csv": APPLICATION_HEADER,
    "repayments.csv.gz": REPAYMENT_HEADER,
    "consents.jsonl": "",
    "people.jsonl": "",
}


def run(params: Params, _ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write raw drops to `simulate.out`, whole or not at all, and the truth to `simulate.oracle`."""
    asked = params.simulate
    span = Span.of(params.as_of, asked.span_days, asked.history_days)
    todo = parts(asked.people, params.seed, world(asked.world), span)
    with timed("simulate") as summary:
        with replacing(asked.out) as folder:
            truth = _draw(todo, folder, params.threads, summary, tell)
            _write_key(folder / "key.txt", params.seed)
        write_table(oracle_path(params), pa.concat_tables(truth))
    return summary


def oracle_path(params: Params) -> Path:
    """Where the truth about the population in `simulate.out` lies."""
    return params.simulate.oracle / params.simulate.out.name / "oracle.parquet"


def _draw(todo: list[Part], folder: Path, workers: int, summary: Summary, tell: Tell) -> list[pa.Table]:
    """Draw all parts; lines join their files in the order of the parts, whoever drew them."""
    truth = []
    with ExitStack() as stack:
        files = {name: stack.enter_context(_text_file(folder / name)) for name in HEADERS}
        for name, header in HEADERS.items():
            files[name].write(header.encode())
        for done, written in enumerate(_each(todo, folder, workers, stack), start=1):
            for name, text in written.texts.items():
                files[name].write(text.encode())
            truth.append(written.oracle)
            _count(summary, written)
            tell("parts of the population", done, len(todo))
    return truth


def _each(todo: list[Part], folder: Path, workers: int, stack: ExitStack) -> Iterator[Written]:
    work = partial(write, folder=folder)
    if min(workers, len(todo)) == 1:
        return map(work, todo)
    pool = stack.enter_context(ProcessPoolExecutor(min(workers, len(todo)), get_context("spawn")))
    return pool.map(work, todo)


def _count(summary: Summary, written: Written) -> None:
    counts = {**written.rows, "applications": written.oracle.num_rows}
    for name, rows in counts.items():
        summary.counts[name] = summary.counts.get(name, 0) + rows
    summary.rows_out += sum(written.rows.values())


@contextmanager
def _text_file(path: Path) -> Iterator[BufferedIOBase]:
    """A file to write bytes to; one whose name ends in .gz is compressed, without a time in its header."""
    with path.open("wb") as raw:
        if path.suffix != ".gz":
            yield raw
            return
        with gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
            yield packed


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`, which takes its place when the block ends well.

    A folder that holds anything but an earlier sample is a `ConfigError`: nothing of anybody's is ever overwritten.
    """
    if folder.exists() and not (folder / "key.txt").is_file() and any(folder.iterdir()):
        raise ConfigError(f"{folder} holds files that simulate did not write; set simulate.out to a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_key(path: Path, seed: int) -> None:
    """The key of the pseudonyms of this made-up sample: no secret, since it follows from the seed."""
    path.touch(mode=0o600)
    path.write_text(hashlib.sha256(f"saakh synthetic sample {seed}".encode()).hexdigest() + "\n", encoding="ascii")
