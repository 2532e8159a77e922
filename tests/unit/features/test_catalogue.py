"""The committed catalogue says what is declared, and the families are all there."""

from collections import Counter
from pathlib import Path

from features.catalogue import all_features
from pipeline.catalogue import markdown

CATALOGUE = Path(__file__).parents[3] / "docs" / "catalogue.md"


def test_the_committed_catalogue_is_not_stale() -> None:
    assert CATALOGUE.read_text() == markdown(), "run `saakh features docs` and commit docs/catalogue.md"


def test_every_family_has_at_least_six_features() -> None:
    counts = Counter(f.family for f in all_features())
    assert min(counts.values()) >= 6
    assert len(counts) == 5
