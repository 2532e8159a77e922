"""Files of lending terms: what is wrong is named by its key; what is right comes out the same every time."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.lending import compiled, decision_json, read_lending, read_terms
from saakh.errors import ConfigError
from saakh.terms_json import read, read_bytes

SAMPLE = Path(__file__).parents[3] / "data/lending/sample.yaml"


def changed(folder: Path, **changes: Any) -> Path:
    """The sample with top-level keys changed."""
    path = folder / "terms.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(SAMPLE.read_text()) | changes))
    return path


def with_lender(folder: Path, **changes: Any) -> Path:
    """The sample with its first lender changed."""
    said = deepcopy(yaml.safe_load(SAMPLE.read_text()))
    said["lenders"][0] |= changes
    return changed(folder, **said)


def test_the_sample_has_an_own_loan_and_two_partners_from_1_8_percent_up_to_100_000_rupees():
    terms = read_terms(SAMPLE)
    assert [lender.role for lender in terms.lenders] == ["own", "partner", "partner"]
    assert min(lender.rate_bp_least for lender in terms.lenders) == 180
    assert max(lender.most_minor for lender in terms.lenders) == 100_000_00
    assert all(lender.cooling_off_days >= 1 for lender in terms.lenders)


def test_what_is_compiled_reads_back_as_it_was_written():
    lending = read_lending(SAMPLE)
    assert read_bytes(decision_json(lending)) == read(compiled(lending)) == read_terms(SAMPLE)


def test_the_same_terms_give_the_same_bytes(tmp_path):
    assert decision_json(read_lending(SAMPLE)) == decision_json(read_lending(changed(tmp_path)))


def test_a_challenger_is_compiled_as_the_champion_is(tmp_path):
    champion = yaml.safe_load(SAMPLE.read_text())["champion"]
    test = {"challenger": champion | {"name": "other"}, "share": 0.1, "salt": "spring"}
    terms = read_terms(changed(tmp_path, experiment=test))
    assert terms.experiment is not None
    assert terms.experiment.challenger.cutoffs == terms.champion.cutoffs


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"surprise": 1}, "unknown key 'surprise'"),
        ({"currency": "rupees"}, "'currency'"),
        ({"apr": "flat"}, "'apr'"),
        ({"lenders": []}, "'lenders'"),
    ],
)
def test_a_key_that_is_not_right_is_named(tmp_path, changes, said):
    with pytest.raises(ConfigError, match=said):
        read_lending(changed(tmp_path, **changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cooling_off_days": 0}, "lenders.0.cooling_off_days"),
        ({"least_minor": 10**9}, "must rise"),
        ({"rate_bp_least": 500}, "rate_bp_least is 500, above rate_bp_most, 400"),
        ({"months": [3, 2]}, "months must rise"),
        ({"months": [24]}, "has no cut-off for 24 months"),
        ({"name": "partner-bank"}, "each needs a name of its own"),
        ({"charges": {"share_bp": 0, "lender_minor": 1_000_00}}, "charges take all of the smallest loan"),
        ({"licence": {"kind": "a", "register": "b", "entry": "c", "valid_from": "2026-02-01"}}, "licence.valid_until"),
    ],
)
def test_a_lender_that_is_not_right_is_named(tmp_path, changes, said):
    with pytest.raises(ConfigError, match=said):
        read_lending(with_lender(tmp_path, **changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amounts": [200, 100]}, "amounts must rise"),
        ({"amounts": [100]}, "2 needed, one for each class of amount"),
        ({"limits": [{"pd_up_to": 0.1, "most_minor": 1}, {"pd_up_to": 0.2, "most_minor": 2}]}, "most_minor must not"),
    ],
)
def test_a_strategy_that_is_not_right_is_named(tmp_path, changes, said):
    champion = yaml.safe_load(SAMPLE.read_text())["champion"] | changes
    with pytest.raises(ConfigError, match=said):
        read_lending(changed(tmp_path, champion=champion))
