"""What can go wrong when a version is released, rolled back or retired: one class, one exit code."""

from saakh.errors import SaakhError


class ReleaseError(SaakhError):
    """A version lacks the evidence or the approval it needs, is in the wrong place, or there is none to go back to."""

    exit_code = 16
