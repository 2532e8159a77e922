"""A scorecard as MLflow knows it: a pyfunc that holds the scorecard file and needs the runtime alone."""

import logging
import os
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from saakh.scorecard import Scorecard
from saakh.served import REFUSED

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when MLflow is imported
os.environ.setdefault("DO_NOT_TRACK", "true")

OUTPUTS = (
    dict.fromkeys(("points", "pd", "log_odds"), "double")
    | {"band": "string"}
    | dict.fromkeys(("missing", "unseen", "problems"), "long")
    | {"handling": "string"}
)


def save(folder: Path, body: bytes, card: Scorecard) -> None:
    """Write the scorecard as an MLflow model into an empty folder; the example is somebody of whom nothing is known."""
    import mlflow.pyfunc  # noqa: PLC0415 - slow to import

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    from mlflow.models import ModelSignature  # noqa: PLC0415
    from mlflow.types import ColSpec, Schema, TensorSpec  # noqa: PLC0415

    kinds = dict.fromkeys(card.features, "double") | {REFUSED + category: "boolean" for category in card.categories}
    given: list[ColSpec | TensorSpec] = [ColSpec(kind, name, required=False) for name, kind in kinds.items()]
    found: list[ColSpec | TensorSpec] = [ColSpec(kind, name) for name, kind in OUTPUTS.items()]
    with tempfile.TemporaryDirectory() as elsewhere:
        data = Path(elsewhere) / "scorecard.saakh"
        data.write_bytes(body)
        mlflow.pyfunc.save_model(
            str(folder),
            loader_module="saakh.served",
            data_path=str(data),
            signature=ModelSignature(Schema(given), Schema(found)),
            input_example=pd.DataFrame({name: [None] for name in card.features}, dtype=float),
            pip_requirements=[f"saakh=={version('saakh')}"],
        )


def answers(folder: Path, card: Scorecard, inputs: np.ndarray, refused: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points and PDs by the model in a folder, loaded and called as MLflow does."""
    import mlflow.pyfunc  # noqa: PLC0415

    rows = pd.DataFrame(inputs, columns=list(card.features))
    flags = pd.DataFrame(refused, columns=[REFUSED + category for category in card.categories])
    said = mlflow.pyfunc.load_model(str(folder)).predict(pd.concat([rows, flags], axis=1))
    return said["points"].to_numpy(), said["pd"].to_numpy()
