"""What the best of many trials gains over the defaults, honestly: chosen on some people, judged on the others.

The winner of a search is partly the luckiest. So people are drawn with replacement again and again; each time the trial
best for those drawn is held against the defaults on those who were not. Source: Tsamardinos et al. 2018 (bootstrap bias
corrected cross-validation), which costs no further fit.
"""

import numpy as np

from models.arrays import Codes, Floats
from models.discrimination import Estimate
from models.resampling import interval, resampled


def honest_gain(defaults: Floats, trials: Floats, who: Codes, confidence: float, resamples: int, seed: int) -> Estimate:
    """The gain in log-loss a loan of choosing the best trial, with the interval of what it is on people not chosen by.

    `defaults` are losses [loans], `trials` those of each trial [trials, loans]; `who` numbers people from 0.
    """
    people = int(who.max()) + 1
    loans = np.bincount(who, minlength=people).astype(np.float64)
    gains = np.stack([np.bincount(who, defaults - trial, people) for trial in trials])

    def figures(times: Floats) -> Floats:
        # einsum adds in one fixed order; a matrix product would not, for every number of threads
        best = np.einsum("sp,tp->st", times, gains).argmax(axis=1)
        left = times == 0
        return ((left * gains[best]).sum(axis=1) / np.maximum((left * loans).sum(axis=1), 1))[:, None]

    drawn = resampled(figures, np.arange(people), resamples, seed)[:, 0]
    return interval(float(drawn.mean()), drawn, confidence)
