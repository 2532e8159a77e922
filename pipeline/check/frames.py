"""Great Expectations on frames in memory: no network, no progress bars, and no value of a row in what it returns."""

import logging
import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.check.expectations import Rule
from pipeline.check.report import Outcome

if TYPE_CHECKING:
    import pandas as pd

COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0}
PLACES = {"result_format": "COMPLETE", "partial_unexpected_count": 0, "exclude_unexpected_values": True}


class Examiner:
    """Asks rules of frames. Importing Great Expectations takes seconds, so it happens here and not with the module."""

    def __init__(self) -> None:
        self.context = context()
        asset = self.context.data_sources.add_pandas("memory").add_dataframe_asset("frame")
        self.definition = asset.add_batch_definition_whole_dataframe("whole")

    def examine(self, frame: "pd.DataFrame", rules: Sequence[Rule]) -> list[Outcome]:
        """One outcome a rule, in order; positions are those of the frame's index.

        The frame is asked for counts first; only rules that broke are asked again, for the places.
        """
        batch = self.definition.get_batch({"dataframe": frame})
        results = _ask(batch, rules, COUNTS)
        broken = [rule for rule in rules if not results[rule.claim].success]
        places = _ask(batch, broken, PLACES) if broken else {}
        return [_outcome(rule, len(frame), places.get(rule.claim)) for rule in rules]


def context(**settings: Any) -> Any:
    """A context of Great Expectations that keeps all in memory, tells nobody and draws no progress bar."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # Its warnings may quote what it met in a frame.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():  # PySpark, where it is installed, warns of pandas 3, with which it is not used
        warnings.simplefilter("ignore", FutureWarning)
        import great_expectations as gx  # noqa: PLC0415
    from great_expectations.data_context.types.base import (  # noqa: PLC0415
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
        **settings,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def expectation(rule: Rule) -> Any:
    """The rule as an expectation object of Great Expectations, described by its claim."""
    import great_expectations.expectations as kinds  # noqa: PLC0415

    column = {"column": rule.column} if rule.column else {}
    return getattr(kinds, rule.expectation)(**column, **rule.arguments, description=rule.claim)


def _ask(batch: Any, rules: Sequence[Rule], how: dict[str, Any]) -> dict[str, Any]:
    """Results by claim, for they come back in an order of their own."""
    from great_expectations import ExpectationSuite  # noqa: PLC0415

    suite = ExpectationSuite(name="rules", expectations=[expectation(rule) for rule in rules])
    return {r.expectation_config.description: r for r in batch.validate(suite, result_format=how).results}


def _outcome(rule: Rule, rows: int, failed: Any) -> Outcome:
    if failed is None:
        return Outcome(rule, rows)
    positions = failed.result.get("unexpected_index_list")
    if not positions:  # a claim about the frame as a whole, or one that could not be evaluated on it
        return Outcome(rule, rows, 1)
    return Outcome(rule, rows, len(positions), tuple(map(int, positions)))
