"""Who people are, and what of it shows: latent traits, life stage, and the noisy copy that behaviour follows.

Risk follows the traits; behaviour follows `shown`, which equals the trait only through noise. However many features a
catalogue measures, they can recover no more than what is shown, as in life.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.world.clock import Span
from pipeline.world.draws import Draws, Flags, Floats, Ints
from pipeline.world.knobs import Knobs

STAGES = ("student", "early", "family", "settled", "senior")
WORK = ("salaried", "self_employed", "casual", "student", "homemaker", "farmer", "unemployed")
CLARITY: Mapping[str, float] = {
    "income": 0.84,
    "volatility": 0.88,
    "stress": 0.74,
    "conscientiousness": 0.74,
    "embeddedness": 0.90,
    "affinity": 0.90,
    "novelty": 0.75,
    "rootedness": 0.92,
}
CIRCLE = 12
RING_BLOCK, RING = 400, 8
_EARNING = np.array([1.25, 1.0, 0.62, 0.35, 0.4, 0.6, 0.3])
_WORK_BY_STAGE = np.cumsum(
    [
        [0.10, 0.04, 0.10, 0.70, 0.01, 0.01, 0.04],
        [0.50, 0.16, 0.18, 0.02, 0.04, 0.04, 0.06],
        [0.42, 0.24, 0.14, 0.00, 0.09, 0.08, 0.03],
        [0.36, 0.30, 0.12, 0.00, 0.08, 0.12, 0.02],
        [0.18, 0.30, 0.12, 0.00, 0.14, 0.18, 0.08],
    ],
    axis=1,
)


@dataclass(frozen=True)
class People:
    """A block of people.

    `trait` and `shown` hold standard normal values by name; `stress` and `stress_shown` move by thirty-day period
    (people × periods); `circle` is what a person shares with the eleven others of the circle.
    """

    numbers: Ints
    draws: Draws
    trait: Mapping[str, Floats]
    shown: Mapping[str, Floats]
    stress: Floats
    stress_shown: Floats
    age: Ints
    stage: Ints
    work: Ints
    is_female: Flags
    circle: Floats
    ring: Ints

    @property
    def size(self) -> int:
        """How many."""
        return len(self.numbers)

    @property
    def monthly_income(self) -> Floats:
        """True income, rupees a month."""
        income: Floats = 21_000 * np.exp(0.45 * self.trait["income"]) * _EARNING[self.work]
        return income

    @property
    def shown_income(self) -> Floats:
        """Income as money movements show it, rupees a month."""
        income: Floats = 21_000 * np.exp(0.45 * self.shown["income"]) * _EARNING[self.work]
        return income


def people(seed: int, numbers: Ints, knobs: Knobs, span: Span) -> People:
    """The people of those numbers; nobody depends on who else is drawn."""
    draws = Draws.of(seed, numbers)
    trait = _traits(draws)
    is_female = draws.chance("gender", 0.38)
    shown = {name: _shown(draws, name, trait[name], knobs) for name in CLARITY}
    for name in ("income", "embeddedness", "rootedness", "conscientiousness"):
        shown[name] = shown[name] - knobs.protected_behaviour * is_female
    age = np.minimum(18 + np.floor(13 * draws.exponential("age") + 4 * draws.uniform("age.years")), 78).astype(np.int64)
    stage = np.searchsorted([23, 30, 45, 60], age, side="right").astype(np.int64)
    moving = _moving(draws, span)
    return People(
        numbers=numbers,
        draws=draws,
        trait=trait,
        shown=shown,
        stress=np.sqrt(0.65) * trait["stress"][:, None] + np.sqrt(0.35) * moving,
        stress_shown=np.sqrt(0.65) * shown["stress"][:, None]
        + np.sqrt(0.35) * (CLARITY["stress"] * knobs.clarity) * moving,
        age=age,
        stage=stage,
        work=draws.pick("work", _WORK_BY_STAGE[stage]),
        is_female=is_female,
        circle=Draws.of(seed, (numbers - 1) // CIRCLE).normal("circle"),
        ring=_rings(seed, numbers, knobs),
    )


def _traits(draws: Draws) -> dict[str, Floats]:
    """Standard normal traits; hardship ties stress to low income, and settled people are a little more careful."""
    own = {name: draws.normal(f"trait.{name}") for name in CLARITY}
    own["stress"] = -0.3 * own["income"] + np.sqrt(1 - 0.3**2) * own["stress"]
    own["rootedness"] = 0.2 * own["conscientiousness"] + np.sqrt(1 - 0.2**2) * own["rootedness"]
    return own


def _shown(draws: Draws, name: str, trait: Floats, knobs: Knobs) -> Floats:
    clarity = CLARITY[name] * knobs.clarity
    shown: Floats = clarity * trait + np.sqrt(1 - clarity**2) * draws.normal(f"shown.{name}")
    return shown


def _moving(draws: Draws, span: Span) -> Floats:
    """A standard normal wave by period that forgets half its state in two: each period mixes the last six shocks."""
    reach = 6
    weights = 0.7 ** np.arange(reach)
    weights /= np.sqrt((weights**2).sum())
    count = len(draws.keys)
    who = np.repeat(np.arange(count), span.periods + reach)
    period = np.tile(np.arange(span.periods + reach) + span.first_period - reach, count)
    shocks = draws.each("period", who, period).normal("stress").reshape(count, -1)
    waves = [w * shocks[:, reach - k : reach - k + span.periods] for k, w in enumerate(weights)]
    wave: Floats = np.sum(waves, axis=0)
    return wave


def _rings(seed: int, numbers: Ints, knobs: Knobs) -> Ints:
    """The ring a person belongs to, −1 for none: some blocks of people hold one ring, eight neighbours by number."""
    block = (numbers - 1) // RING_BLOCK
    draws = Draws.of(seed, block)
    has_ring = draws.chance("ring", min(1.0, knobs.ring_share * RING_BLOCK / RING))
    place = (numbers - 1) % RING_BLOCK - draws.whole("ring.place", 0, RING_BLOCK - RING)
    return np.where(has_ring & (place >= 0) & (place < RING), block, -1)
