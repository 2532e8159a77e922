"""What train tells of each loan by its side of the split, and of the sides in counts."""

from typing import Any

import numpy as np
import pyarrow as pa

from models.arrays import Codes, Flags, Floats
from models.splits import Split
from pipeline.sample import KEY, Sample


def scores(sample: Sample, split: Split, folds: Codes, log_odds: Floats) -> pa.Table:
    """One row per loan used: which side, which fold, the outcome, and the log-odds of bad."""
    dev, used = split.development, split.development | split.out_of_time
    fold = np.full(len(dev), -1, dtype=np.int64)
    fold[dev] = folds
    return pa.table(
        {
            KEY: sample.application.filter(pa.array(used)),
            "split": pa.array(np.where(dev[used], "development", "out_of_time"), pa.string()),
            "fold": pa.array(fold[used], mask=~dev[used]),
            "is_bad": pa.array(sample.bad[used]),
            "log_odds": pa.array(log_odds[used]),
        }
    )


def returning(sample: Sample, split: Split, log_odds: Floats) -> pa.Table:
    """The loans after the cut of people known before it: on no side, but part of what comes through the door."""
    rows = split.known_person
    return pa.table(
        {
            KEY: sample.application.filter(pa.array(rows)),
            "is_bad": pa.array(sample.bad[rows]),
            "log_odds": pa.array(log_odds[rows]),
        }
    )


def sides(sample: Sample, split: Split) -> dict[str, Any]:
    """The split in counts: every labelled application is on a side or excluded for a reason."""
    days = sample.applied.astype("datetime64[D]")
    return {
        "out_of_time_from": f"{split.out_of_time_from.astype('datetime64[s]')}+00:00",
        "boundary": split.boundary,
        "gap_days": split.gap_days,
        "development_from": str(days[split.development].min()),
        "development_to": str(days[split.development].max()),
        "out_of_time_to": str(days[split.out_of_time].max()),
        "development": _side(sample, split.development),
        "out_of_time": _side(sample, split.out_of_time),
        "excluded": {
            "indeterminate": sample.indeterminate,
            "gap": int(split.gap.sum()),
            "known_person": int(split.known_person.sum()),
        },
    }


def _side(sample: Sample, rows: Flags) -> dict[str, int]:
    people = len(np.unique(sample.person[rows]))
    return {"rows": int(rows.sum()), "bads": int(sample.bad[rows].sum()), "people": people}
