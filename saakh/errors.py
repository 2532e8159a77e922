"""What can go wrong, one class a kind, each with the exit code a shell sees.

A message says what happened, what was there, and what to try. It never carries a value from a person's row.
"""


class SaakhError(Exception):
    """A failure a user can act on. Printed as one message, without a traceback; its `exit_code` ends the process."""

    exit_code = 1


class ConfigError(SaakhError):
    """A parameter, policy or option is unknown, missing or out of range."""

    exit_code = 3


class MappingError(ConfigError):
    """A mapping names an unknown key, table or column, or leaves out a required one."""

    exit_code = 4


class MissingInputError(SaakhError):
    """A file or folder that was named is not there."""

    exit_code = 5


class UnreadableInputError(SaakhError):
    """A file is there and cannot be read: damaged, truncated, or of another format."""

    exit_code = 6


class EmptyInputError(SaakhError):
    """An input was read and holds nothing to work on."""

    exit_code = 7


class ContractError(SaakhError):
    """Data breaks a declared rule: a type, a range, a key, a reconciling equation."""

    exit_code = 8


class ConsentError(SaakhError):
    """No consent covers what was asked for, or a consent record is malformed."""

    exit_code = 9


class LeakageError(SaakhError):
    """Something reached a place it must not: the future, a protected column, an applicant on both sides of a split."""

    exit_code = 10


class ArtifactError(SaakhError):
    """A scorecard is damaged, tampered with, of an unknown protocol, or does not reproduce its own golden vectors."""

    exit_code = 11


class StoppedError(SaakhError):
    """A scorecard must not be used any more: monitoring stopped it, or it was retired."""

    exit_code = 15


class DeclarationError(SaakhError):
    """A feature declaration is incomplete or names something that does not exist."""

    exit_code = 12
