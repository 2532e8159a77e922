"""How fast the service answers: `saakh serve` under wrk, on this machine, with one caller and with several.

Run `python -m benchmarks.serve SCORECARD [SECONDS]`; wrk is a package of most systems. Milliseconds are those a caller
waits. Processor time each is told beside them, since it says what one core can do whatever else the machine does.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from saakh.scorecard import load
from tests.serving import Service, serving

PATHS, CALLERS = ("/score", "/explain"), (1, 8)
SCRIPT = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = io.open("{}"):read("*a")\n'


def body(scorecard: Path) -> str:
    """A request made of golden values: each input at the first that is neither missing nor a problem."""
    card = load(scorecard)
    inputs: dict[str, float | None] = dict.fromkeys(card.features)
    for vector in card.vectors():
        for name, value in vector.row.items():
            if inputs[name] is None and name not in vector.said.raw["problems"]:
                inputs[name] = value
    return json.dumps({"inputs": inputs})


def processor_seconds(service: Service) -> float:
    """What the service has used so far."""
    page = service.ask("GET", "/metrics").body.decode()
    found = re.search(r"^process_cpu_seconds_total (\S+)", page, re.MULTILINE)
    return float(found[1]) if found else float("nan")


def load_with(script: Path, service: Service, path: str, callers: int, seconds: int) -> list[str]:
    """One run of wrk: callers, requests a second, milliseconds at median and 99th percentile, processor time."""
    url = f"http://127.0.0.1:{service.port}{path}"
    before = processor_seconds(service)
    command = ["wrk", "-t1", f"-c{callers}", f"-d{seconds}s", "--latency", "-s", str(script), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = processor_seconds(service) - before
    if "Non-2xx" in said:
        raise SystemExit(f"{path} refused the request: {said}")
    requests = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
    waits = [re.search(rf"{q}%\s+([\d.]+)(us|ms|s)", said).groups() for q in (50, 99)]  # type: ignore[union-attr]
    scale = {"us": 1e-3, "ms": 1.0, "s": 1e3}
    figures = [requests / seconds, *(float(number) * scale[unit] for number, unit in waits), 1e6 * used / requests]
    return [path, str(callers), *(f"{figure:,.4g}" for figure in figures)]


def main(scorecard: Path, seconds: int) -> None:
    """Print a line for each path and number of callers."""
    with tempfile.TemporaryDirectory() as folder:
        file, script, sent = (Path(folder) / name for name in ("scorecard.saakh", "post.lua", "body.json"))
        file.write_bytes(scorecard.read_bytes())
        sent.write_text(body(file))
        script.write_text(SCRIPT.format(sent))
        print("path".ljust(10), *(f"{h:>12}" for h in ("callers", "requests/s", "p50 ms", "p99 ms", "µs CPU each")))
        with serving(file) as service:
            for path in PATHS:
                for callers in CALLERS:
                    name, *figures = load_with(script, service, path, callers, seconds)
                    print(name.ljust(10), *(f"{figure:>12}" for figure in figures), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
