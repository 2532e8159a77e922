"""How fast an audit log is verified, and how long one append takes.

Run `python -m benchmarks.audit [records]` (a minute, one thread).
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.audit import log
from pipeline.audit.heads import public_of
from tests.audit_log import entries

RECORDS, APPENDS, TIMES = 100_000, 30, 3


def main() -> None:
    """Print records a second (the best of three), bytes a record, and milliseconds an append; JSON with --json."""
    named = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    records, key = named[0] if named else RECORDS, Ed25519PrivateKey.generate()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.jsonl"
        start = time.perf_counter()
        for one in entries(APPENDS):
            log.append(path, "asha", [one], key)
        append = (time.perf_counter() - start) / APPENDS
        log.append(path, "asha", entries(records), key)
        took, took_cpu = [], []
        for _ in range(TIMES):
            start, start_cpu = time.perf_counter(), time.process_time()
            count = log.verify(path, (public_of(key),)).count
            took.append(time.perf_counter() - start)
            took_cpu.append(time.process_time() - start_cpu)
        figures = {
            "records": count,
            "bytes a record": path.stat().st_size / count,
            "verified, records a second": count / min(took),
            "verified, records a CPU-second": count / min(took_cpu),
            "one append, ms": append * 1e3,
        }
    if "--json" in sys.argv:
        print(json.dumps(figures, indent=1))
        return
    for name, figure in figures.items():
        print(name.ljust(32), f"{figure:,.4g}".rjust(14))


if __name__ == "__main__":
    main()
