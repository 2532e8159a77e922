"""Life events and company: what happens to some people, and what those around them share."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.world.clock import Span
from pipeline.world.draws import Flags, Floats, Ints
from pipeline.world.knobs import Knobs
from pipeline.world.traits import People

LIFE_EVENTS = ("none", "promotion", "divorce", "move")
PROMOTION, DIVORCE, MOVE = 1, 2, 3
_RISK = np.array([0.0, -0.6, 0.8, 0.15])
_STRAIN = np.array([0.0, -0.3, 1.3, 0.3])


@dataclass(frozen=True)
class Life:
    """At most one life event a person: which (index into `LIFE_EVENTS`) and on which day."""

    kind: Ints
    day: Ints

    def has_moved(self, who: Ints, day: Ints) -> Flags:
        """Whether a person lives elsewhere since."""
        moved: Flags = (self.kind[who] >= DIVORCE) & (day >= self.day[who])
        return moved

    def has_parted(self, who: Ints, day: Ints) -> Flags:
        """Whether a person's closest ties have ended."""
        parted: Flags = (self.kind[who] == DIVORCE) & (day >= self.day[who])
        return parted

    def raise_of(self, who: Ints, day: Ints) -> Floats:
        """What a promotion multiplies pay by."""
        return np.where((self.kind[who] == PROMOTION) & (day >= self.day[who]), 1.45, 1.0)


def life(people: People, first: Ints, knobs: Knobs) -> Life:
    """A life event for some, within four months before to one month after the first application."""
    has = people.draws.chance("life", knobs.life_event_share)
    kind = people.draws.whole("life.kind", 1, len(LIFE_EVENTS))
    return Life(np.where(has, kind, 0), first + people.draws.whole("life.day", -120, 30))


def company(people: People, lived: Life, knobs: Knobs, span: Span) -> Floats:
    """What is added to a person's log-odds in each period: by circle, ring, and the life event once it happened."""
    constant = knobs.circle_risk * people.circle + knobs.ring_risk * (people.ring >= 0)
    return constant[:, None] + _RISK[lived.kind][:, None] * _since(lived, span)


def strained(people: People, lived: Life, span: Span) -> People:
    """The people with the strain of their life event in their stress, for half a year."""
    strain = _STRAIN[lived.kind][:, None] * _since(lived, span, 6)
    return replace(people, stress=people.stress + strain, stress_shown=people.stress_shown + 0.8 * strain)


def _since(lived: Life, span: Span, periods: int = 10_000) -> Flags:
    """Periods (people × periods) from the life event on, at most so many."""
    passed = np.arange(span.periods) - span.period_of(lived.day)[:, None]
    since: Flags = (passed >= 0) & (passed < periods)
    return since
