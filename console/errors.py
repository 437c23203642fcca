"""What can go wrong in the console, one class per thing that the caller can do about it."""

from console.words import Text


class ConsoleError(Exception):
    """The message is meant for the person who reads it: it names what is wrong and the remedy."""

    @property
    def words(self) -> str:
        """The message; where it is a `Text`, it can be said in other languages."""
        return next((each for each in self.args if isinstance(each, Text)), str(self))


class DatabaseUnavailable(ConsoleError):
    """PostgreSQL doesn't answer. It may heal by itself: try again."""


class BrokerUnavailable(ConsoleError):
    """The MQTT broker can't be reached. It may heal by itself: try again."""


class BadRequest(ConsoleError):
    """What somebody asked for breaks a rule; nothing was changed. The message says which rule."""


class Forbidden(ConsoleError):
    """Somebody may not do what she asked for. The message says who could change that."""


class Busy(ConsoleError):
    """More work is waiting than is let wait. It heals by itself: try again in some seconds."""
