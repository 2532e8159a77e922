"""What featuretools makes of call records by itself: `python featuretools_run.py FOLDER PEOPLE`.

Deep feature synthesis of depth 2 over records, contacts and people with its standard primitives, one process. Counted
are the processor seconds of `dfs`; reading the file and making the entity set is told apart. Prints JSON.
"""

import json
import resource
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("ignore")  # of featuretools and woodwork about themselves

import featuretools as ft  # noqa: E402
import pandas as pd  # noqa: E402


def run(folder: Path, people: int) -> dict[str, object]:
    """Processor seconds and columns for the first people in the file."""
    before = time.process_time()
    records = pd.read_parquet(folder / "records.parquet").drop(columns="cell")
    records = records[records["person_id"].isin(records["person_id"].unique()[:people])].reset_index(names="record_id")
    entities = ft.EntitySet("phone").add_dataframe(
        dataframe_name="records", dataframe=records, index="record_id", time_index="at"
    )
    entities.normalize_dataframe("records", "contacts", "contact_id", additional_columns=["person_id"])
    entities.normalize_dataframe("contacts", "people", "person_id")
    reading, before = time.process_time() - before, time.process_time()
    matrix, _ = ft.dfs(entityset=entities, target_dataframe_name="people", max_depth=2, n_jobs=1)
    return {
        "records": len(records),
        "columns": matrix.shape[1],
        "reading_cpu": reading,
        "cpu": time.process_time() - before,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), int(sys.argv[2]))))
