"""What can be wrong with a message. Each class has a `name` for logs, reports and pages."""


class WireError(Exception):
    """A message that must not be believed. The text says why, without anything secret."""

    name = "wire_error"


class TooLarge(WireError):
    """Over one of the limits of sync/README.md."""

    name = "too_large"


class Malformed(WireError):
    """Not in the form that sync/README.md describes."""

    name = "malformed"


class UnknownKind(WireError):
    """Of a version or kind that this software doesn't know, or not the kind expected here."""

    name = "unknown_kind"


class BadSignature(WireError):
    """Not signed by the key that must have signed it."""

    name = "bad_signature"


class WrongAudience(WireError):
    """Meant for somebody else."""

    name = "wrong_audience"


class Stale(WireError):
    """Too late: its deadline, challenge or counter has passed."""

    name = "stale"


class RolledBack(WireError):
    """Older than what was accepted before, or another message under the same number."""

    name = "rolled_back"
