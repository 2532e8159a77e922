"""Apps and web: what people open, install and read, by category."""

import numpy as np

from pipeline.world.draws import Floats, Ints, softmax_sums
from pipeline.world.drops import Drop, coded, named, numbered
from pipeline.world.rhythm import SCREENS, Days, Events
from pipeline.world.traits import People

APPS = (
    *("finance", "payments", "lending", "social", "messaging", "entertainment", "games", "gambling"),
    *("shopping", "news", "work", "education", "travel", "health", "tools", "other"),
)
SITES = (
    *("finance", "lending", "shopping", "comparison", "news", "jobs", "education", "government"),
    *("entertainment", "gambling", "social", "health", "travel", "other"),
)
_APP_SHARES = (0.05, 0.09, 0.02, 0.17, 0.20, 0.15, 0.06, 0.008, 0.06, 0.04, 0.025, 0.02, 0.012, 0.01, 0.06, 0.033)
_SITE_SHARES = (0.05, 0.02, 0.14, 0.03, 0.14, 0.04, 0.05, 0.03, 0.18, 0.012, 0.10, 0.05, 0.03, 0.13)
_APP_MINUTES = (0.7, 0.5, 0.8, 1.1, 0.7, 1.8, 1.8, 1.4, 0.9, 0.8, 0.9, 1.4, 0.7, 0.7, 0.3, 0.4)
_app_names = numbered("com.example.a", 4)
_CATALOGUE = 60  # apps in each category
# how strongly each trait moves the log share of a category
_APP_TRAITS = {
    "conscientiousness": {
        "finance": 0.30,
        "payments": 0.12,
        "news": 0.15,
        "gambling": -0.40,
        "games": -0.15,
        "work": 0.2,
    },
    "income": {"finance": 0.25, "travel": 0.25, "shopping": 0.15, "work": 0.15},
    "novelty": {"entertainment": 0.10, "travel": 0.15, "tools": 0.15},
    "embeddedness": {"messaging": 0.08},
}
_SITE_TRAITS = {
    "conscientiousness": {"finance": 0.25, "comparison": 0.40, "government": 0.2, "gambling": -0.4},
    "income": {"travel": 0.25, "shopping": 0.1},
    "novelty": {"entertainment": 0.10},
}
_STRESS = {"lending": 0.70, "gambling": 0.40, "jobs": 0.25}
_STUDENT = {"education": 1.3, "games": 0.4, "social": 0.25}


def app_sessions(days: Days) -> Drop:
    """One row a foreground use of an app."""
    people = days.people
    pace = 0.80 * np.exp(0.45 * people.draws.normal("sessions"))
    rate = pace[days.who] * days.mood("sessions", 0.4) * days.fits("sessions", 0.6) * (1 + 0.12 * days.weekend)
    bursty = np.clip(0.38 + 0.08 * people.draws.normal("session.bursty"), 0.1, 0.8)
    events = days.events("sessions", rate * days.drift(0.5)).timed(SCREENS, 0.05, bursty)
    category = _categories(events, APPS, _APP_SHARES, _APP_TRAITS, "app")
    minutes = np.array(_APP_MINUTES)[category] * np.exp(0.9 * events.draws.normal("minutes"))
    columns = {
        "app": named(_app(people, events, category), _app_names),
        "app_category": coded(category, APPS),
        "duration_s": np.clip(60 * minutes, 2, 14_400).astype(np.int32),
    }
    return Drop(events, columns)


def app_installs(days: Days) -> Drop:
    """One row an install or removal."""
    people = days.people
    pace = 0.035 * np.exp(0.35 * people.shown["novelty"] + 0.4 * people.draws.normal("installs"))
    events = days.events("installs", pace[days.who] * days.mood("installs", 0.6)).timed(SCREENS, 0.03)
    category = _categories(events, APPS, _APP_SHARES, _APP_TRAITS, "app")
    removal = 0.30 * np.exp(0.15 * people.shown["novelty"] - 0.1 * people.shown["conscientiousness"])
    store = 0.965 - 0.01 * np.clip(events.stress(), -2, 3) + 0.01 * people.shown["conscientiousness"][events.who]
    columns = {
        "app": named(_app(people, events, category), _app_names),
        "app_category": coded(category, APPS),
        "action": coded(events.draws.chance("removal", removal[events.who]), ("install", "uninstall")),
        "is_from_store": events.draws.chance("store", store),
    }
    return Drop(events, columns)


def web_visits(days: Days) -> Drop:
    """One row a visit, by the category of the site."""
    people = days.people
    pace = 0.24 * np.exp(0.6 * people.draws.normal("visits"))
    bursty = np.full(people.size, 0.45)
    events = days.events("visits", pace[days.who] * days.mood("visits", 0.6)).timed(SCREENS, 0.05, bursty)
    category = _categories(events, SITES, _SITE_SHARES, _SITE_TRAITS, "site")
    columns = {
        "domain_category": coded(category, SITES),
        "duration_s": np.clip(np.exp(3.6 + 1.0 * events.draws.normal("stay")), 1, 7_200).astype(np.int32),
    }
    return Drop(events, columns)


def _categories(
    events: Events, names: tuple[str, ...], shares: tuple[float, ...], traits: dict[str, dict[str, float]], what: str
) -> Ints:
    """The category of each event: common shares, moved by what shows of a person and by the strain of the month."""
    people = events.days.people
    own = np.log(shares) + 0.5 * np.stack([people.draws.normal(f"{what}.{name}") for name in names], axis=1)
    for trait, effects in traits.items():
        own += people.shown[trait][:, None] * _row(names, effects)
    own += (people.stage == 0)[:, None] * _row(names, _STUDENT)
    logits = own[:, None, :] + people.stress_shown[:, :, None] * _row(names, _STRESS)
    return events.draws.pick("category", softmax_sums(logits)[events.who, events.period])


def _row(names: tuple[str, ...], effects: dict[str, float]) -> Floats:
    return np.array([effects.get(name, 0.0) for name in names])


def _app(people: People, events: Events, category: Ints) -> Ints:
    """The app: one of the few a person keeps in the category, each taken from its catalogue by popularity."""
    kept = np.floor(4 * events.draws.uniform("kept") ** 2.5).astype(np.int64)
    taste = people.draws.each("taste", events.who, category * 4 + kept).uniform("app")
    return category * 100 + np.floor(_CATALOGUE * taste**2.2).astype(np.int64)
