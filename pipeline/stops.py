"""Where a scorecard may be stopped: in the workspace it lies in, by monitoring or by retirement, or in a file named."""

from collections.abc import Sequence
from pathlib import Path

from saakh.stops import KILL_SWITCH, RETIRED


def stop_files(scorecard: Path, named: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The stop files to heed for a scorecard; those beside it `saakh.load` heeds by itself.

    A link, as `current.saakh` often is, is followed, so that its scorecard's own workspace speaks.
    """
    workspaces = dict.fromkeys((scorecard.absolute().parent.parent, scorecard.resolve().parent.parent))
    made = [place for root in workspaces for place in (root / "monitor" / KILL_SWITCH, root / "release" / RETIRED)]
    return (*named, *made)
