"""How fast the population is drawn, in what memory, and whether size slows it down.

`python benchmarks/simulate.py 1 5 10` draws about so many million events, each size in a process of its own, and
prints events a second, the peak memory of all processes together, and the start: the smallest population for two
workers. The last column says whether the first 1,000 people have the same events as in a population of 1,000. The
target is 500,000 events a second on two cores, at most 2 GB, and the same speed (±20 %) from 10 to 100 million events.
"""

import hashlib
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from pipeline import simulate
from pipeline.params import Params, Simulate
from pipeline.workspace import Workspace

EVENTS_A_PERSON = 820


def draw(people: int, threads: int, folder: Path) -> None:
    """Draw one population, and print its events, seconds and processor seconds as JSON."""
    params = Params(
        policy="explicit-consent",
        as_of=datetime(2026, 6, 1, tzinfo=UTC),
        threads=threads,
        simulate=Simulate(out=folder / "raw", oracle=folder / "oracle", people=people),
    )
    summary = simulate.run(params, Workspace(folder))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(u.ru_utime + u.ru_stime for u in used)
    figures = {
        "events": summary.rows_out,
        "seconds": summary.seconds,
        "cpu": cpu,
        "first": first_people(folder / "raw"),
    }
    print(json.dumps(figures))


def first_people(raw: Path) -> str:
    """A digest of all events of the first 1,000 people, who fill the first two parts of every table."""
    seen = hashlib.sha256()
    for part in sorted(p for p in raw.rglob("part-0000[01].parquet")):
        seen.update(f"{part.relative_to(raw)} {hashlib.sha256(part.read_bytes()).hexdigest()}".encode())
    return seen.hexdigest()


def measured(people: int, threads: int) -> dict[str, float]:
    """Events, seconds and peak memory (MB) of one size, drawn by a fresh process and its workers."""
    folder = Path(tempfile.mkdtemp(prefix="saakh-simulate-"))
    command = [sys.executable, __file__, "--draw", str(people), str(threads), str(folder)]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            peak = [0.0]
            watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
            watcher.start()
            said, _ = process.communicate()
            watcher.join()
        if process.returncode:
            raise SystemExit(f"drawing {people} people ended with exit code {process.returncode}")
        return json.loads(said) | {"peak_mb": peak[0]}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _watch(process: subprocess.Popen[str], peak: list[float]) -> None:
    """Sum the resident memory of the process and its children ten times a second, and keep the largest sum."""
    while process.poll() is None:
        peak[0] = max(peak[0], sum(_resident_mb(pid) for pid in _family(process.pid)))
        time.sleep(0.1)


def _family(pid: int) -> list[int]:
    found = [pid]
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return found
    for child in children:
        found += _family(int(child))
    return found


def _resident_mb(pid: int) -> float:
    """Resident memory less what is shared with other processes (code, mostly)."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    return (int(pages[1]) - int(pages[2])) * 4_096 / 1e6


def main(sizes: list[float], threads: int = 2) -> None:
    """Print one line a size; speeds are over and above the smallest population that needs two workers."""
    least, thousand = measured(501, threads), measured(1_000, threads)
    print(f"start: {least['seconds']:.2f} s for {least['events'] / 1e6:.1f} million events, {threads} workers")
    heads = ("million events", "seconds", "processor seconds", "events a second after the start", "peak MB")
    print(f"| {' | '.join(heads)} | first 1,000 people |\n|{'---|' * 6}")
    for size in sizes:
        found = measured(round(size * 1e6 / EVENTS_A_PERSON), threads)
        speed = (found["events"] - least["events"]) / (found["seconds"] - least["seconds"])
        seconds = f"{found['seconds']:.1f} | {found['cpu']:.1f}"
        same = "as alone" if found["first"] == thousand["first"] else "differ"
        print(
            f"| {found['events'] / 1e6:.1f} | {seconds} | {speed:,.0f} | {found['peak_mb']:.0f} | {same} |", flush=True
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--draw"]:
        draw(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
    else:
        main([float(a) for a in sys.argv[1:]] or [1, 5])
