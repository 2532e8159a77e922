"""Bad, good, indeterminate or immature: days past due within the performance window."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from features.tables import applications, repayments
from pipeline import label
from pipeline.engines import read_table, write_table
from pipeline.params import Params
from pipeline.workspace import Workspace, read_json
from saakh.errors import EmptyInputError
from tests.ascii import rows

TIME = pa.timestamp("us")
APPLICATIONS = """
| application_id | person_id | applied_at | is_accepted | disbursed_at | outcome |
| good           | p         | 2026-01-01 | yes         | 2026-01-01   | -       |
| late           | p         | 2026-01-01 | yes         | 2026-01-01   | -       |
| fifteen        | p         | 2026-01-01 | yes         | 2026-01-01   | -       |
| fourteen       | p         | 2026-01-01 | yes         | 2026-01-01   | -       |
| thirty         | p         | 2026-01-01 | yes         | 2026-01-01   | -       |
| unpaid         | p         | 2026-01-01 | yes         | 2026-01-01   | -       |
| last           | p         | 2026-01-01 | yes         | 2026-01-01   | -       |
| after          | p         | 2026-01-01 | yes         | 2026-01-01   | -       |
| young          | p         | 2026-03-04 | yes         | 2026-03-04   | -       |
| none           | p         | 2026-01-01 | yes         | 2026-01-01   | -       |
| told           | p         | 2026-05-30 | yes         | 2026-05-30   | bad     |
| foretold       | p         | 2026-05-30 | yes         | 2026-06-01   | bad     |
| declined       | p         | 2026-01-01 | no          | -            | -       |
"""
REPAYMENTS = """
| application_id | person_id | instalment | due_at     | due_minor | paid_at          | paid_minor |
| good           | p         | 1          | 2026-01-31 | 100       | 2026-01-30       | 100        |
| late           | p         | 1          | 2026-01-31 | 100       | 2026-01-31       | 100        |
| late           | p         | 2          | 2026-02-02 | 100       | 2026-03-06       | 100        |
| fifteen        | p         | 1          | 2026-01-31 | 100       | 2026-02-15       | 100        |
| fourteen       | p         | 1          | 2026-01-31 | 100       | 2026-02-14 23:59 | 100        |
| thirty         | p         | 1          | 2026-01-31 | 100       | 2026-03-02       | 100        |
| unpaid         | p         | 1          | 2026-01-31 | 100       | -                | 0          |
| last           | p         | 1          | 2026-03-10 | 100       | -                | 0          |
| after          | p         | 1          | 2026-04-01 | 100       | -                | 0          |
| young          | p         | 1          | 2026-03-05 | 100       | -                | 0          |
"""


def made(folder: Path, opened: tuple[str, str] = ("1900-01-01", "2200-01-01"), **section: object) -> dict[str, str]:
    """Labels of loans of whose record consent opens that stretch of time."""
    table = rows(applications, APPLICATIONS)
    write_table(folder / "ingest/applications.parquet", table)
    write_table(folder / "ingest/repayments.parquet", rows(repayments, REPAYMENTS))
    cohort = table.select(["application_id", "person_id", "disbursed_at"])
    for name, moment in zip(("credit_from", "credit_to"), opened, strict=True):
        cohort = cohort.append_column(name, pa.repeat(pa.scalar(datetime.fromisoformat(moment), TIME), len(cohort)))
    write_table(folder / "cohort/cohort.parquet", cohort)
    params = Params.model_validate(
        {"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "threads": 1, "label": section}
    )
    label.run(params, Workspace(folder))
    found = read_table(folder / "label/labels.parquet")
    return dict(zip(found["application_id"].to_pylist(), found["label"].to_pylist(), strict=True))


def test_days_past_due_within_the_window_decide(tmp_path: Path) -> None:
    assert made(tmp_path) == {
        "good": "good",
        "late": "bad",  # its second instalment was 32 days late
        "fifteen": "indeterminate",
        "fourteen": "good",
        "thirty": "bad",
        "unpaid": "bad",
        "last": "indeterminate",  # 22 days past due when the window ends on 1 April
        "told": "bad",  # the source's own outcome stands, whatever its age
    }


def test_what_cannot_be_labelled_is_counted(tmp_path: Path) -> None:
    made(tmp_path)
    account = read_json(tmp_path / "label/label.json")
    assert account["verdicts"] == {
        "bad": 4,
        "good": 2,
        "indeterminate": 2,
        "no instalment due": 2,
        "immature": 2,
        "not paid out": 1,
    }
    assert (account["rows_in"], account["rows_out"]) == (13, 8)


def test_a_stricter_definition_makes_more_bads(tmp_path: Path) -> None:
    assert list(made(tmp_path, dpd_days=15).values()).count("bad") == 6


def test_an_outcome_is_known_only_where_consent_opens_the_record_to_the_windows_end(tmp_path: Path) -> None:
    everything = made(tmp_path / "a", ("1900-01-01", "2026-08-28"))
    assert everything == made(tmp_path / "b")  # told ends its window on 28 August, the moment that is not open any more
    assert "told" not in made(tmp_path / "c", ("1900-01-01", "2026-08-27 23:59:59"))
    account = read_json(tmp_path / "c/label/label.json")
    assert account["verdicts"]["outcome not open to consent"] == 1
    made(tmp_path / "d", ("1900-01-01", "2026-04-01"))
    assert read_json(tmp_path / "d/label/label.json")["verdicts"]["outcome not open to consent"] == 2


def test_no_instalment_due_outside_the_time_consent_opens_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(EmptyInputError, match=r"'no instalment due': 7, 'bad': 2, 'immature': 2, 'indeterminate': 1"):
        made(tmp_path, ("2026-02-02", "2200-01-01"))  # of those that fell due before, but one of late's is left


def test_labels_of_one_kind_only_stop_the_run(tmp_path: Path) -> None:
    with pytest.raises(EmptyInputError, match="no bad or no good"):
        made(tmp_path, performance_window_days=3000, dpd_days=30)
