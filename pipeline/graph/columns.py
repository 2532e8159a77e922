"""The graph's features beside those of single people: columns of the same rows, when every policy allows them."""

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.engines import Engine
from pipeline.graph import KEY, graph_features
from pipeline.params import Params
from pipeline.question import Question


def graph_columns(engine: Engine, cohort: pa.Table, question: Question, params: Params) -> pa.Table:
    """The graph's features that were asked for, a row an application; the keys alone when none was."""
    if not question.graph:
        return cohort.select([KEY])
    as_of, dpd_days = params.as_of, params.label.dpd_days
    found = graph_features(
        engine, cohort, question.consents, question.events, question.purpose, as_of, dpd_days, question.bounds
    )
    return found.select([KEY, *(feature.name for feature in question.graph)])


def beside(rows: pa.Table, others: pa.Table) -> pa.Table:
    """The rows of one table with the columns of another that has a row for each of their applications."""
    place = pc.index_in(rows[KEY], value_set=others[KEY].combine_chunks())
    for name in others.column_names[1:]:
        rows = rows.append_column(name, others[name].take(place))
    return rows
