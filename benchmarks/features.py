"""How fast features are derived: beside the peers, over the whole catalogue, and at a hundred million events.

- `python -m benchmarks.features [people]`: calls and messages beside DuckDB by hand, bandicoot and featuretools, on the
  same records (`make peers` installs them). Counted are processor seconds, of all threads: for Saakh and DuckDB by hand
  from Parquet files to a Parquet file; for the others the measuring alone, their records being in memory already.
- `python -m benchmarks.features catalogue [people]`: every feature of every table, on a simulated world.
- `python -m benchmarks.features scale [millions ...]`: the same as worlds grow, every stage in at most 4 GB.

Imports are not counted; the fixed start, a run over five people, is shown apart.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from benchmarks.base import ROOT, params_for
from benchmarks.peers import records
from benchmarks.simulate import EVENTS_A_PERSON
from features.tables import EVENT_TABLES
from pipeline.params import Params
from pipeline.run import run_stage
from pipeline.workspace import Workspace, read_json

PEERS = ROOT / "build/peers/bin/python"
HERE = Path(__file__).parent / "peers"
CIDER = {"columns": 708, "records": 400_000, "speed": 1_178, "peak_mb": 6_700}
"""Measured once, on Spark with two cores; it was faster the more records it was given, and this was the most."""
SLOW_PEOPLE = 100
"""bandicoot and featuretools cost the same for each person, so that some people tell their speed."""
CAP_GB, ENGINE_GB = 4.0, 2.5
GROUPS = Path("/sys/fs/cgroup")
CONTROL_GROUPS = (
    (GROUPS / "memory", "memory.limit_in_bytes", "cgroup.procs"),
    (GROUPS, "memory.max", "cgroup.procs"),
)
"""Of Linux's first and second kind: where they are made, and the files that hold the limit and the processes."""

Figures = dict[str, Any]


def stage(name: str, params: Params, cap_gb: float | None = None) -> Figures:
    """Run a stage in a process of its own: wall and processor seconds without imports, and peak memory."""
    order = json.dumps([name, cap_gb, params.model_dump(mode="json")])
    return told([sys.executable, "-m", "benchmarks.features", "--stage", order])


def run_ordered(order: str) -> None:
    """The other side of `stage`: run it and print the figures."""
    name, cap_gb, said = json.loads(order)
    if cap_gb:
        keep_within(int(cap_gb * 1e9))
    params = Params.model_validate(said)
    __import__(f"pipeline.{name}")
    before, began = used(), time.perf_counter()
    run_stage(name, params, Workspace(params.workspace))
    took = {"seconds": time.perf_counter() - began, "cpu": used() - before}
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps(took | {"peak_mb": peak / 1e3}))


def keep_within(size: int) -> None:
    """Let this process use no more memory, pages of files among it: by a control group, which root can make.

    Where none can be made, by a limit on what it may write to, which counts what libraries reserve and never touch.
    """
    for root, most, members in CONTROL_GROUPS:
        group = root / f"saakh-{size}"
        if (root / members).exists() and os.access(root, os.W_OK):
            group.mkdir(exist_ok=True)
            (group / most).write_text(str(size))
            (group / members).write_text(str(os.getpid()))
            return
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def used() -> float:
    """Processor seconds so far, those of ended child processes among them."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in spent)


def told(command: list[str]) -> Figures:
    """The JSON that a command prints last. What it imports is compiled once and kept, as on any user's machine."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ended with exit code {done.returncode}:\n{done.stderr[-2_000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def speed(people: int, repeats: int = 3) -> Figures:
    """Calls and messages, Saakh and its peers on the same records; of repeated runs the one that cost least."""
    if not PEERS.exists():
        raise SystemExit(f"no environment at {PEERS.parents[1]}; `make peers` makes it")
    folder = ROOT / "build/benchmarks/features"
    rmtree(folder, ignore_errors=True)
    count = records.write(folder / "all", people, SLOW_PEOPLE)
    records.write(folder / "few", 5, 0)
    own, hand = [], []
    for _ in range(repeats):  # in turn, so that other work on the machine falls on both
        own.append(stage("derive", asked(folder / "all")))
        hand.append(told([sys.executable, str(HERE / "by_hand.py"), str(folder / "all"), "2"]))
    found = {
        "records": count,
        "start": min((stage("derive", asked(folder / "few")) for _ in range(repeats)), key=lambda f: f["cpu"]),
        "own": min(own, key=lambda f: f["cpu"]) | read_json(folder / "all/derive/derive.json"),
        "by hand": min(hand, key=lambda f: f["cpu_with_places"]),
        "bandicoot": told([str(PEERS), str(HERE / "bandicoot_run.py"), str(folder / "all/csv"), str(SLOW_PEOPLE)]),
        "featuretools": told([str(PEERS), str(HERE / "featuretools_run.py"), str(folder / "all"), str(SLOW_PEOPLE)]),
    }
    rmtree(folder)
    return found


def asked(workspace: Path) -> Params:
    """The parameters of a run over records of `benchmarks.peers.records`: all columns, those of splits too."""
    said = {"policy": "explicit-consent", "as_of": records.SNAPSHOT.replace(tzinfo=UTC), "workspace": workspace}
    return Params.model_validate(said | {"derive": {"splits": True}})


def print_speed(people: int) -> None:
    """Print the peers' table."""
    found = speed(people)
    count, own, hand, cat = found["records"], found["own"], found["by hand"], found["bandicoot"]
    print("| tool | columns | records | CPU seconds | records per CPU second | Saakh is faster | peak MB |")
    print("|---|---|---|---|---|---|---|")
    best = count / own["cpu"]

    def line(tool: str, columns: int, count: int, cpu: float, peak_mb: float | None = None) -> None:
        cells = [
            tool,
            f"{columns:,}",
            f"{count:,}",
            f"{cpu:.1f}",
            f"{count / cpu:,.0f}",
            f"{best * cpu / count:,.1f} ×",
        ]
        print(f"| {' | '.join(cells)} | {'' if peak_mb is None else f'{peak_mb:,.0f}'} |")

    line("Saakh: calls, messages, both as one", own["columns"], count, own["cpu"], own["peak_mb"])
    line("the same without its fixed start", own["columns"], count, own["cpu"] - found["start"]["cpu"])
    line("DuckDB by hand, cider's families", hand["columns_with_places"], count, hand["cpu_with_places"])
    line("the same without those of places", hand["columns"], count, hand["cpu"], hand["peak_mb"])
    for way in ("by week", "whole period"):
        line(f"bandicoot, {way}", cat[way]["columns"], cat["records"], cat[way]["cpu"], cat["peak_mb"])
    deep = found["featuretools"]
    line("featuretools, depth 2", deep["columns"], deep["records"], deep["cpu"], deep["peak_mb"])
    line("cider, quoted", CIDER["columns"], CIDER["records"], CIDER["records"] / CIDER["speed"], CIDER["peak_mb"])


def world(people: int, folder: Path, cap_gb: float | None = None) -> Figures:
    """Draw a world and take it to features; the figures of each stage, and how many events there were."""
    params = params_for(1, people, folder).model_copy(update={"memory_gb": ENGINE_GB if cap_gb else 4.0})
    took: Figures = {}
    for name in ("simulate", "ingest", "cohort", "derive"):
        took[name] = stage(name, params, cap_gb)
        if name == "ingest":
            rmtree(folder / "raw")
    files = [params.workspace / "ingest" / f"{table.name}.parquet" for table in EVENT_TABLES]
    took["events"] = sum(pq.read_metadata(file).num_rows for file in files if file.exists())
    took["account"] = read_json(params.workspace / "derive/derive.json")
    return took


def catalogue(people: int) -> Figures:
    """Every feature of every table on one world: its figures, and those of the fixed start."""
    with TemporaryDirectory(prefix="saakh-features-") as folder:
        start = world(5, Path(folder) / "few")["derive"]
        return world(people, Path(folder) / "world") | {"start": start}


def print_catalogue(people: int) -> None:
    """Print what the whole catalogue costs."""
    took = catalogue(people)
    account, cpu, start = took["account"], took["derive"]["cpu"], took["start"]["cpu"]
    print(f"{account['columns']:,} columns of {account['applications']:,} applications")
    for what, events in (("ingested", took["events"]), ("seen by an application", account["events_seen"])):
        print(
            f"{events:,} events {what}: {events / cpu:,.0f} a CPU second, {events / (cpu - start):,.0f} after the start"
        )
    print(f"start {start:.1f} CPU seconds, all {cpu:.1f}; peak {took['derive']['peak_mb']:,.0f} MB")


def scale(sizes: Sequence[float]) -> Iterator[Figures]:
    """Worlds of so many million events, every stage capped: seconds and processor seconds a million after the start."""
    with TemporaryDirectory(prefix="saakh-features-") as folder:
        start = world(5, Path(folder), CAP_GB)["derive"]
    for size in sizes:
        with TemporaryDirectory(prefix="saakh-features-") as folder:
            took = world(round(size * 1e6 / EVENTS_A_PERSON), Path(folder), CAP_GB)
        each = {kind: (took["derive"][kind] - start[kind]) * 1e6 / took["events"] for kind in ("seconds", "cpu")}
        yield took | {"start": start, "each": each}


def print_scale(sizes: Sequence[float]) -> None:
    """Print seconds per million events as worlds grow."""
    print(f"every stage within {CAP_GB:g} GB, {ENGINE_GB:g} of them for its engine")
    heads = ("million events", "start, s", "derive, s", "s a million after the start", "CPU s a million", "peak MB")
    print(f"| {' | '.join(heads)} | ingest, s | peak MB |\n|{'---|' * 8}")
    for took in scale(sizes):
        derive, ingest, each = took["derive"], took["ingest"], took["each"]
        cells = [f"{took['events'] / 1e6:.1f}", f"{took['start']['seconds']:.1f}", f"{derive['seconds']:.1f}"]
        cells += [f"{each['seconds']:.2f}", f"{each['cpu']:.2f}", f"{derive['peak_mb']:,.0f}"]
        print(f"| {' | '.join(cells)} | {ingest['seconds']:.1f} | {ingest['peak_mb']:,.0f} |", flush=True)


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["1000"]
    if what == "--stage":
        run_ordered(rest[0])
    elif what == "catalogue":
        print_catalogue(int(rest[0]) if rest else 5_000)
    elif what == "scale":
        print_scale([float(size) for size in rest] or (10, 100))
    else:
        print_speed(int(what))
