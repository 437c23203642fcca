"""What can go wrong on a controller, one class per thing that the caller can do about it."""

BECOME = "use sudo, or be the daemon's user"
"""The remedy of whoever may not look into the data folder."""


class EdgeError(Exception):
    """The message is meant for the person who reads it: it names what is wrong and the remedy."""


class StorageFault(EdgeError):
    """The store can't be read or written now: deny, say so, and try again later."""


class JournalFull(EdgeError):
    """No slot is left for a grant until the console has acknowledged events."""


class LinkLost(EdgeError):
    """There is no connection to the broker, or it has just broken."""


class PinError(EdgeError):
    """A pin can't be had, or can't be moved."""
