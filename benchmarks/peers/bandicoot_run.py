"""All of bandicoot's indicators with every split, a person at a time: `python bandicoot_run.py CSV_FOLDER PEOPLE`.

Counted are the processor seconds of `bandicoot.utils.all`; reading the files is told apart. Two of its ways give 722
columns: the weekly means and deviations, and the whole period with seven statistics. Both are printed as JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path

from restored import bandicoot

WAYS = {"by week": ("week", "default"), "whole period": (None, "extended")}
bc = bandicoot()


def run(folder: Path, people: int) -> dict[str, object]:
    """Processor seconds and columns of each way."""
    before = time.process_time()
    users = [bc.read_csv(str(n), str(folder), describe=False, warnings=False) for n in range(people)]
    found: dict[str, object] = {"records": sum(len(u.records) for u in users)}
    found["reading_cpu"] = time.process_time() - before
    for way, (groupby, summary) in WAYS.items():
        before, columns = time.process_time(), 0
        for user in users:
            user.reset_cache()
            told = bc.utils.all(
                user, groupby=groupby, summary=summary, split_week=True, split_day=True, attributes=False, flatten=True
            )
            columns = sum(not name.startswith(("reporting", "name")) for name in told)
        found[way] = {"columns": columns, "cpu": time.process_time() - before}
    return found | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), int(sys.argv[2]))))
