"""How fast services answer: `saakh serve` beside `mlflow models serve` of the same model, under wrk, on this machine.

Run `python -m benchmarks.serve WORKSPACE [SECONDS]` on a finished run; wrk is a package of most systems. Milliseconds
are those a caller waits. Processor time each is told beside them, since it says what one core can do whatever else the
machine does.
MLflow's answer is a probability alone; `/score` adds points, band and reasons, `/explain` every contribution.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline import tracking
from pipeline.workspace import Workspace
from saakh import Scorecard, load
from tests.serving import serving

CALLERS, PATIENCE_S = (1, 8), 300
SCRIPT = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = io.open("{}"):read("*a")\n'
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Target:
    """A route to load: what it is called, where it is, what is sent, and the processes that answer."""

    name: str
    url: str
    body: str
    process: int


def inputs(card: Scorecard) -> dict[str, float]:
    """A value for each input: one, or the end of its range that is nearest to that."""
    specs = card.manifest.features
    ends = [(-1e9 if s.low is None else s.low, 1e9 if s.high is None else s.high) for s in specs]
    return {spec.name: float(min(max(1.0, low), high)) for spec, (low, high) in zip(specs, ends, strict=True)}


@contextmanager
def mlflow_serving(ws: Workspace, folder: Path) -> Iterator[tuple[str, int]]:
    """MLflow's own server of the registered model, once it answers: its address and process."""
    log = tracking.client(ws)
    run = str(log.get_model_version_by_alias(tracking.NAME, tracking.ALIAS).run_id)
    model = log.download_artifacts(run, "model", str(folder))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", model, "-p", str(port)]
    command += ["--env-manager", "local"]
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(command, start_new_session=True, stdout=nowhere, stderr=nowhere)
    try:
        _wait(f"http://127.0.0.1:{port}/ping")
        yield f"http://127.0.0.1:{port}/invocations", process.pid
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def load_with(folder: Path, target: Target, callers: int, seconds: int) -> list[str]:
    """One run of wrk: callers, requests a second, milliseconds at median and 99th percentile, processor time."""
    sent, script = folder / "body.json", folder / "post.lua"
    sent.write_text(target.body)
    script.write_text(SCRIPT.format(sent))
    before = processor_seconds(target.process)
    command = ["wrk", "-t1", f"-c{callers}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", str(script)]
    said = subprocess.run([*command, target.url], capture_output=True, text=True, check=True).stdout
    used = processor_seconds(target.process) - before
    if "Non-2xx" in said:
        raise SystemExit(f"{target.name} refused the request: {said}")
    requests = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
    waits = [re.search(rf"{q}%\s+([\d.]+)(us|ms|s)", said).groups() for q in (50, 99)]  # type: ignore[union-attr]
    scale = {"us": 1e-3, "ms": 1.0, "s": 1e3}
    figures = [requests / seconds, *(float(number) * scale[unit] for number, unit in waits), 1e6 * used / requests]
    return [target.name, str(callers), *(f"{figure:,.4g}" for figure in figures)]


def processor_seconds(process: int) -> float:
    """What a process and those it started have used so far."""
    found = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(stat.parent.name) == process or process in (int(fields[1]), int(fields[3])):
            found += (int(fields[11]) + int(fields[12])) * TICK_S
    return found


def _wait(url: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"nothing answers at {url}")


def measure(folder: Path, targets: list[Target], seconds: int) -> None:
    """Print a line for each target and number of callers."""
    for target in targets:
        for callers in CALLERS:
            name, *figures = load_with(folder, target, callers, seconds)
            print(name.ljust(20), *(f"{figure:>12}" for figure in figures), flush=True)


def main(ws: Workspace, seconds: int) -> None:
    """Print the figures of both services, one after the other."""
    exported = max((ws.root / "export").glob("scorecard-*.saakh"), key=lambda path: path.stat().st_mtime)
    row = inputs(load(exported))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "scorecard.saakh"
        file.write_bytes(exported.read_bytes())
        print(" " * 20, *(f"{h:>12}" for h in ("callers", "requests/s", "p50 ms", "p99 ms", "µs CPU each")))
        with serving(file) as service:
            body, process = json.dumps({"inputs": row}), service.process.pid
            url = f"http://127.0.0.1:{service.port}"
            measure(folder, [Target(path, url + path, body, process) for path in ("/score", "/explain")], seconds)
        with mlflow_serving(ws, folder) as (url, process):
            theirs = json.dumps({"dataframe_split": {"columns": list(row), "data": [list(row.values())]}})
            measure(folder, [Target("mlflow models serve", url, theirs, process)], seconds)


if __name__ == "__main__":
    main(Workspace(Path(sys.argv[1])), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
