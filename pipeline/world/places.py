"""Where people are: homes and workplaces in a few fictional cities, third places, journeys, and moves."""

import numpy as np

from pipeline.world.clock import DAY, is_weekend
from pipeline.world.draws import Floats, Ints
from pipeline.world.drops import Drop
from pipeline.world.rhythm import Days, Events
from pipeline.world.traits import People

# fictional cities: latitude, longitude, share of people, spread in kilometres
CITIES = np.array(
    [
        [19.10, 73.05, 0.26, 9.0],
        [12.95, 77.65, 0.20, 8.0],
        [28.55, 77.25, 0.20, 10.0],
        [17.40, 78.55, 0.12, 7.0],
        [26.75, 80.85, 0.09, 5.0],
        [23.05, 72.70, 0.08, 6.0],
        [11.10, 76.95, 0.05, 4.0],
    ]
)
KM_PER_DEGREE = 111.2
EVENLY = (1.0,) * 17
HOME, WORK, OTHER, JOURNEY = range(4)


def locations(days: Days) -> Drop:
    """One row a fix."""
    people = days.people
    pace = 0.45 * np.exp(0.35 * people.draws.normal("fixes"))
    events = days.events("fixes", pace[days.who] * days.mood("fixes", 0.4)).timed(EVENLY, 0.22)
    east, north = _kilometres(people, events, _kinds(people, events))
    city = _city(people)[events.who]
    latitude = CITIES[city, 0] + north / KM_PER_DEGREE
    longitude = CITIES[city, 1] + east / (KM_PER_DEGREE * np.cos(np.radians(CITIES[city, 0])))
    return Drop(events, {"latitude": np.round(latitude, 5), "longitude": np.round(longitude, 5)})


def _city(people: People) -> Ints:
    return people.draws.pick("city", np.cumsum(CITIES[:, 2]))


def _kinds(people: People, events: Events) -> Ints:
    """Home by night, work in office hours for those who have it, other places and journeys the rest of the time."""
    hour = (events.at % DAY) / 3_600
    has_work = people.draws.chance("workplace", np.array([0.93, 0.7, 0.75, 0.8, 0.05, 0.7, 0.03])[people.work])
    is_office = (hour >= 9.5) & (hour < 18) & ~is_weekend(events.at // DAY)
    diligence = 0.68 + 0.18 * np.clip(-people.shown["volatility"], -2, 2)
    at_work = is_office & has_work[events.who] & events.draws.chance("at work", diligence[events.who])
    settled = 0.86 + 0.12 * people.shown["rootedness"][events.who]
    homely = np.where((hour < 7) | (hour >= 22), settled, 0.55)
    kind = np.where(at_work, WORK, np.where(events.draws.chance("home", np.clip(homely, 0.1, 0.98)), HOME, OTHER))
    away = 0.012 * np.exp(0.35 * people.shown["novelty"] + 0.25 * people.shown["income"])
    trip = people.draws.each("trip", events.who, events.at // DAY // 3)
    return np.where(trip.chance("away", np.minimum(away[events.who], 0.3)), JOURNEY, kind)


def _kilometres(people: People, events: Events, kind: Ints) -> tuple[Floats, Floats]:
    """East and north of the city's centre, with the error of a phone's fix."""
    spread = CITIES[_city(people), 3]
    home = people.draws.each("home", events.who, homes_so_far(events))
    work = people.draws.each("work", events.who, 0 * events.who)
    other = people.draws.each("place", events.who, np.floor(30 * events.draws.uniform("place") ** 2.6).astype(np.int64))
    trip = people.draws.each("trip", events.who, events.at // DAY // 3)
    axes = []
    for axis in ("east", "north"):
        at_home = spread[events.who] * 0.6 * home.normal(axis)
        at_work = at_home * 0.5 + 4.0 * work.normal(axis)
        nearby = at_home + 2.5 * np.exp(0.6 * other.normal("far")) * other.normal(axis)
        abroad = at_home + 45 * np.exp(0.9 * trip.normal("far")) * trip.normal(axis)
        axes.append(np.choose(kind, [at_home, at_work, nearby, abroad]) + 0.05 * events.draws.normal(axis))
    return axes[0], axes[1]


def homes_so_far(events: Events) -> Ints:
    """How often a person has moved home before each event: seldom, more often when unrooted or of a life event."""
    people = events.days.people
    yearly = 0.40 * np.exp(-0.75 * people.shown["rootedness"] + 0.4 * people.draws.normal("moves"))
    drawn = np.floor((events.at // DAY) * yearly[events.who] / 365 + people.draws.uniform("move")[events.who])
    return drawn.astype(np.int64) + 1_000 * events.days.life.has_moved(events.who, events.at // DAY)
