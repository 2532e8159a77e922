"""What can go wrong when people are erased or sealed copies kept: one class, one exit code."""

from saakh.errors import SaakhError


class ErasureError(SaakhError):
    """Nobody of that name is here, a place cannot be written, something still names them, a seal does not hold."""

    exit_code = 14
