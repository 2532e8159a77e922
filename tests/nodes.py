"""Node.js with ONNX Runtime for the tests; where it is not, a reason, and in CI a failure."""

import json
import os
import subprocess
from pathlib import Path
from shutil import which

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "build" / "node"


def need_node() -> None:
    """Skip the test, saying why, where Node cannot run; where CI should have installed it, fail instead."""
    missing = [] if which("node") else ["Node 18 or later (Debian: apt-get install nodejs npm)"]
    missing += [] if (FOLDER / "made").exists() else ["its packages (make build/node/made)"]
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"ONNX in Node needs {' and '.join(missing)}")


def scored(folder: Path, model: Path, inputs: np.ndarray, refused: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points and PDs by ONNX Runtime in Node; the rows go through `folder`."""
    (folder / "inputs").write_bytes(inputs.astype("<f8").tobytes())
    (folder / "refused").write_bytes(refused.astype("u1").tobytes())
    command = ["node", FOLDER / "score.js", model, folder / "inputs", folder / "refused", str(len(inputs))]
    said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return np.array(said["points"]), np.array(said["pd"])
