"""What can go wrong in the console, one class per thing that the caller can do about it."""


class ConsoleError(Exception):
    """The message is meant for the person who reads it: it names what is wrong and the remedy."""


class DatabaseUnavailable(ConsoleError):
    """PostgreSQL doesn't answer. It may heal by itself: try again."""


class BrokerUnavailable(ConsoleError):
    """The MQTT broker can't be reached. It may heal by itself: try again."""


class BadRequest(ConsoleError):
    """What somebody asked for breaks a rule; nothing was changed. The message says which rule."""


class Busy(ConsoleError):
    """More work is waiting than is let wait. It heals by itself: try again in some seconds."""
