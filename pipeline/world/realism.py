"""The realism table: published figures beside simulated ones, by one command, `python -m pipeline.world.realism`."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.judge import expected_auc
from pipeline.world import direct
from pipeline.world.clock import Span
from pipeline.world.families import ALL, auc_by_family
from pipeline.world.knobs import BASE
from pipeline.world.part import Part, drawn
from pipeline.world.yardsticks import Population

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
PEOPLE, PEOPLE_DIRECT = 1_500, 20_000


@dataclass(frozen=True)
class Fact:
    """A published figure as a range, where it comes from, and how the population measures it."""

    what: str
    low: float
    high: float
    source: str
    measure: Callable[[Population], float]


P = Population
FACTS = (
    Fact("share of calls with the top three contacts", 0.35, 0.60, "Saramäki et al. 2014 †", P.top_three_share),
    Fact("contacts, 95th percentile over median", 2.0, 6.0, "Seshadri et al. 2008: skewed", P.contacts_tail),
    Fact("burstiness of calls", 0.1, 0.7, "Goh, Barabási 2008: human activity is bursty", P.burstiness),
    Fact("memory of times between calls", -0.15, 0.15, "Goh, Barabási 2008: memory is weak", P.memory),
    Fact("quietest hour of calls", 2, 5, "Aledavood et al. 2015 †", P.quietest_hour),
    Fact("busiest hour of calls", 16, 21, "Aledavood et al. 2015 †", P.busiest_hour),
    Fact("share of calls from midnight to six", 0.01, 0.10, "Aledavood et al. 2015 †", P.night_share),
    Fact("people singled out by four hours and places", 0.90, 1.0, "de Montjoye et al. 2013: 0.95", P.places_unicity),
    Fact("people singled out by four apps", 0.80, 1.0, "Sekara et al. 2021: 0.91 of 3.5 million", P.apps_unicity),
    Fact("median radius of gyration, km", 5.5, 14, "González et al. 2008: 8.3 by their fit", P.gyration_km),
    Fact(
        "share of fixes in the most frequent cell",
        0.27,
        0.70,
        "González et al. 2008: 0.4 in two places; Song et al. 2010: 0.7 hour by hour",
        P.top_place_share,
    ),
    Fact(
        "exponent of visits by rank of place",
        1.0,
        1.6,
        "González et al. 2008: 1; Qin et al. 2012: near 1.7",
        P.place_exponent,
    ),
    Fact("handset changes a year", 0.33, 0.60, "IDC 2024, Counterpoint 2017: 36 and 20 months", P.handset_changes),
    Fact(
        "merchants' share of UPI payments",
        0.57,
        0.65,
        "Worldline 2023–2025: 0.575 to 0.63, rising",
        P.merchant_count_share,
    ),
    Fact("UPI ticket, person over merchant", 3.1, 4.9, "Worldline 2022–2024: 3.5 to 4.4", P.ticket_ratio),
    Fact("mobile data, GB a month", 13.5, 30, "Nokia MBiT 2021–2025: 13.5 to 27.5", P.gigabytes_a_month),
    Fact("seconds in an app", 40, 110, "Böhmer et al. 2011: 72", P.session_seconds),
    Fact(
        "messaging and social apps, share of uses",
        0.40,
        0.60,
        "App Annie 2015: 0.4 to 0.6 in five countries",
        P.talking_apps_share,
    ),
    Fact(
        "UPI in October over the mean month",
        1.00,
        1.05,
        "NPCI 2023, 2024: 1.14, growth taken out",
        P.october_over_year,
    ),
    Fact(
        "merchant payments after payday over other days",
        1.05,
        1.4,
        "Gelman et al. 2014: 1.4 on the day, bills aside",
        P.after_payday,
    ),
    Fact(
        "default rate, entry over upper handsets",
        1.2,
        2.6,
        "Berg et al. 2020: 1.7, Android over iOS",
        P.entry_over_upper,
    ),
)


def rows() -> Iterator[tuple[str, float, float, float, str]]:
    """What, the published range, the simulated figure, and the source."""
    population = Population(drawn(Part(0, 1, PEOPLE, 1, BASE, Span.of(AS_OF, 480, 150))))
    for fact in FACTS:
        yield fact.what, fact.low, fact.high, fact.measure(population), fact.source
    yield from credit_rows()


def credit_rows() -> Iterator[tuple[str, float, float, float, str]]:
    """The figures of credit, from the same world without events."""
    taken = direct.sample(1, PEOPLE_DIRECT, 1, BASE, Span.of(AS_OF, 480, 150))
    found = auc_by_family(taken.x, taken.families, taken.person, taken.pd, taken.is_bad)
    yield "bad rate", 0.06, 0.10, float(taken.pd.mean()), "asked of the base world"
    yield "AUC of the truth", 0.78, 0.84, expected_auc(taken.pd, taken.pd), "asked of the base world"
    yield "AUC of all features", 0.62, 0.76, found[ALL], "Ots et al. 2020: 0.62; Björkegren, Grissen 2020 †"
    for family in dict.fromkeys(taken.families):
        yield f"AUC of {family.replace('_', ' ')} alone", 0.53, 0.68, found[family], "asked of the base world"


def table() -> str:
    """The table in Markdown."""
    lines = ["| figure | published | simulated | within | source |", "|---|---|---|---|---|"]
    for what, low, high, value, source in rows():
        within = "yes" if low <= value <= high else "**no**"
        lines.append(f"| {what} | {low:g} to {high:g} | {value:.3g} | {within} | {source} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
