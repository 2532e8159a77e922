"""The worlds: one frozen set of knobs, and a preset for each question a study may ask of the population."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from saakh.errors import ConfigError


@dataclass(frozen=True)
class Knobs:
    """How a world differs from the plain one. Every default is `base`.

    `history_share` scales the days of events before the first application. `activity` scales the events a day.
    `clarity` scales how well behaviour shows traits (1: as calibrated; 0: not at all). Times named `..._days_before`
    count back from the moment the data end.
    """

    history_share: float = 1.0
    activity: float = 1.0
    clarity: float = 1.0
    repeat: float = 0.5
    bad_shift: float = 0.0
    macro_sd: float = 0.1
    consent_full: float = 0.88
    drift_days_before: int = 0
    drift_risk: float = 0.0
    drift_behaviour: float = 0.0
    protected_behaviour: float = 0.0
    protected_label_flip: float = 0.0
    declined_share: float = 0.0
    explored_share: float = 0.0
    ring_share: float = 0.0
    ring_risk: float = 0.0
    circle_risk: float = 0.0
    circle_contact_share: float = 0.0
    life_event_share: float = 0.0
    fault_share: float = 0.0


BASE = Knobs()
WORLDS: Mapping[str, Knobs] = MappingProxyType(
    {
        "base": BASE,
        "thin": replace(BASE, history_share=0.08),
        "drift": replace(BASE, drift_days_before=180, drift_risk=0.7, drift_behaviour=0.6),
        "biased": replace(BASE, protected_behaviour=0.8),
        "biased-labels": replace(BASE, protected_behaviour=0.8, protected_label_flip=0.04),
        "rejects": replace(BASE, declined_share=0.35, explored_share=0.03),
        "ring": replace(BASE, ring_share=0.02, ring_risk=2.0),
        "network": replace(BASE, circle_risk=0.8, circle_contact_share=0.25),
        "life-events": replace(BASE, life_event_share=0.3),
        "messy": replace(BASE, fault_share=0.01),
    }
)


def world(name: str) -> Knobs:
    """The preset of that name; a `ConfigError` lists what there is."""
    try:
        return WORLDS[name]
    except KeyError:
        raise ConfigError(f"no world '{name}'; there are: {', '.join(WORLDS)}") from None
