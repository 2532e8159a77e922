"""Convert: a scorecard in other formats, each proven on the golden vectors before it is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.convert.parts import Parts
from pipeline.convert.vectors import Vectors
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.verify import TEXT, replayed
from pipeline.workspace import whole, whole_folder
from saakh import archive
from saakh.errors import ArtifactError, ConfigError
from saakh.scorecard import Scorecard
from saakh.signature import Trust

ENDINGS: Mapping[str, str] = {"onnx": ".onnx", "sql": ".sql", "lightgbm": ".lightgbm.txt", "mlflow": ".mlflow"}
"""The formats, and what the name of a file ends in; MLflow's is a folder."""


@dataclass(frozen=True)
class Asked:
    """How a format is wanted: whether ONNX `takes_floats`; the `dialect` of SQL, and the `table` and `key` it reads."""

    takes_floats: bool = False
    dialect: str = "duckdb"
    table: str = "features"
    key: str = "application_id"


def run(
    path: Path,
    to: str,
    out: Path | None = None,
    asked: Asked = Asked(),
    tell: Tell = quiet,
    trust: Trust | None = None,
) -> Summary:
    """Write the scorecard at `path` in another format, beside it unless `out` says where.

    One that does not verify, or whose other form scores any golden vector otherwise, is an `ArtifactError`.
    """
    if to not in ENDINGS:
        raise ConfigError(f"a scorecard is converted to {', '.join(ENDINGS)}; '{to[:60]}' is none of them")
    with timed("convert") as summary:
        tell("verifying", 0, 2)
        try:
            members = archive.read(path)
            card = Scorecard.from_members(members, trust)
            verified = replayed(card, members)
        except ArtifactError as error:
            raise ArtifactError(f"{path}: {error}") from None
        tell("writing and proving", 1, 2)
        place = out or path.with_suffix(ENDINGS[to])
        WRITERS[to](card, members, place, asked)
        summary.rows_in = summary.rows_out = verified.vectors
        summary.facts = {"scorecard": f"{path} ({card.name} {card.version}, {card.signature})", "written": str(place)}
    return summary


def _onnx(card: Scorecard, _members: Mapping[str, bytes], place: Path, asked: Asked) -> None:
    """The graph; proven by ONNX Runtime."""
    try:
        from onnxruntime import InferenceSession  # noqa: PLC0415 - an extra

        from pipeline.convert import onnx  # noqa: PLC0415
    except ImportError:
        raise ConfigError("ONNX needs the extra `onnx`: pip install 'saakh-pipeline[onnx]'") from None
    body = onnx.model(Parts.of(card), takes_floats=asked.takes_floats).SerializeToString(deterministic=True)
    vectors = Vectors.of(card, np.float32 if asked.takes_floats else np.float64)
    said = InferenceSession(body).run(["points", "pd"], {"inputs": vectors.inputs, "refused": vectors.refused})
    vectors.check("the ONNX model", *said)
    with whole(place) as temporary:
        temporary.write_bytes(body)


def _sql(card: Scorecard, _members: Mapping[str, bytes], place: Path, asked: Asked) -> None:
    """The query; proven by DuckDB, from whose text Spark's differs in how names are quoted and in nothing else."""
    from pipeline.convert import sql  # noqa: PLC0415 - with its database

    parts, vectors = Parts.of(card), Vectors.of(card)
    body = sql.select(parts, asked.dialect, asked.table, asked.key)
    said = sql.scored(parts, vectors.inputs, vectors.refused)
    vectors.check("the query", said["points"], said["pd"])
    with whole(place) as temporary:
        temporary.write_text(body, encoding="utf-8")


def _lightgbm(_card: Scorecard, members: Mapping[str, bytes], place: Path, _asked: Asked) -> None:
    """The text that the scorecard carries; it was held against the arrays when the scorecard was verified."""
    with whole(place) as temporary:
        temporary.write_bytes(members[TEXT])


def _mlflow(card: Scorecard, members: Mapping[str, bytes], place: Path, _asked: Asked) -> None:
    """The scorecard itself with what MLflow calls; proven by loading it as MLflow does."""
    from pipeline.convert import flavour  # noqa: PLC0415 - MLflow is slow to import

    vectors = Vectors.of(card)
    with whole_folder(place) as temporary:
        flavour.save(temporary, archive.pack(members), card)
        vectors.check("the MLflow model", *flavour.answers(temporary, card, vectors.inputs, vectors.refused))


WRITERS: Mapping[str, Callable[[Scorecard, Mapping[str, bytes], Path, Asked], None]] = {
    "onnx": _onnx,
    "sql": _sql,
    "lightgbm": _lightgbm,
    "mlflow": _mlflow,
}
