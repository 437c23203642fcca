"""What pages say about why a tap was answered as it was: one table, keyed by the rule's reasons.

`why` completes a sentence like "Kari was refused at Front door: …"; `remedy` says who or what
changes it.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from msgspec import Struct

from console.words import Text
from sync.rights import Reason

FAILED = "failed: "
"""access.command.result of a door without a controller begins with it; behind it stand words that
begin with what was asked."""


class Whose(Enum):
    """Whose the card is that was held to a reader, as far as the console knows."""

    NOBODYS = "nobody's"
    SOMEBODYS = "somebody's"
    LOST = "lost"
    """Somebody's, who had marked it lost by then."""


class Wording(Struct, frozen=True):
    """A reason in plain words. `remedy` is empty where there is none to give."""

    why: Text
    remedy: str = ""


UNRECORDED = frozenset({Reason.STORAGE_FAULT, Reason.STORAGE_SLOW, Reason.JOURNAL_FULL})
"""Why something could not be recorded. What shuts is in force all the same."""
_OPERATOR = Text("Somebody who looks after the controllers should see its page.")

WORDING: Mapping[Reason, Wording] = MappingProxyType(
    {
        Reason.ALLOWED: Wording(Text("opened")),
        Reason.NO_SNAPSHOT: Wording(Text("the controller has no rights yet"), _OPERATOR),
        Reason.UNKNOWN_POINT: Wording(
            Text("the controller doesn't know this place"), Text("Add it to this controller.")
        ),
        Reason.UNKNOWN_CARD: Wording(
            Text("nobody had this card"), Text("Unknown cards are assigned under Cards.")
        ),
        Reason.NO_RIGHT: Wording(
            Text("this card gives no right here"),
            Text("A payment or one of its circles is missing."),
        ),
        Reason.ASSURANCE_TOO_LOW: Wording(
            Text("the card is of a kind that is too easy to copy here"),
            Text("Use a card that proves itself."),
        ),
        Reason.NOT_YET_VALID: Wording(Text("the right begins later")),
        Reason.EXPIRED: Wording(
            Text("the membership has ended"), Text("A payment: it works within a second.")
        ),
        Reason.CLOCK_UNTRUSTED: Wording(
            Text("the controller doesn't know what time it is, and this right depends on the hour"),
            Text("It knows again once it reaches the console."),
        ),
        Reason.OUTSIDE_SCHEDULE: Wording(Text("outside the hours of this right")),
        Reason.STORAGE_FAULT: Wording(Text("the controller can't write to its storage"), _OPERATOR),
        Reason.STORAGE_SLOW: Wording(
            Text("the controller's storage was too slow"), Text("Try again.")
        ),
        Reason.TOO_LATE: Wording(
            Text("the controller stood still when the card was held to it"), Text("Try again.")
        ),
        Reason.JOURNAL_FULL: Wording(
            Text("the controller's journal is full"),
            Text("It empties once it reaches the console."),
        ),
        Reason.RELAY_FAULT: Wording(Text("the relay did not move"), _OPERATOR),
        Reason.RANDOM_UID: Wording(
            Text("the card shows another number each time, as phones and passports do"),
            Text("Use a card or fob with a number of its own."),
        ),
        Reason.INTERNAL_ERROR: Wording(Text("a fault in the controller"), _OPERATOR),
        Reason.NOT_FRESH: Wording(
            Text(
                "this needs rights of today,"
                " and the controller has not heard from here for too long"
            ),
            Text("It works again once the controller reaches the console."),
        ),
        Reason.TOO_STALE: Wording(
            Text(
                "the controller has not heard from here for so long that it lets nobody in any more"
            ),
            Text("It works again once the controller reaches the console."),
        ),
        Reason.THROTTLED: Wording(
            Text("too many cards were refused here just before"),
            Text("Wait a minute, then try again."),
        ),
        Reason.LOCKED_DOWN: Wording(Text("locked down"), Text("An admin ends it under Doors.")),
        Reason.OUT_OF_SERVICE: Wording(
            Text("out of service"), Text("An admin ends it on its page.")
        ),
        Reason.TAMPERED: Wording(
            Text("its housing was opened"),
            Text("Look at it, close it, and lock it anew under Doors."),
        ),
        Reason.RELAY_WELDED: Wording(Text("the relay does not let go"), _OPERATOR),
        Reason.RELAY_STUCK: Wording(Text("the relay was told to move and did not"), _OPERATOR),
        Reason.IN_USE: Wording(
            Text("somebody else is using it"), Text("Whoever uses it ends that at the tool.")
        ),
        Reason.EMERGENCY_STOPPED: Wording(
            Text("its emergency stop is pressed"), Text("Release it, then tap again.")
        ),
    }
)

UNKNOWN_CARD: Mapping[Whose, Wording] = MappingProxyType(
    {
        Whose.NOBODYS: WORDING[Reason.UNKNOWN_CARD],
        Whose.SOMEBODYS: Wording(
            Text("has no right here"),
            Text("A payment or one of its circles is missing."),
        ),
        Whose.LOST: Wording(
            Text("this card is marked lost"), Text("Whoever has it now: it opens nothing any more.")
        ),
    }
)
"""A controller holds no cards that open nothing, so to it such a card is unknown. The console knows
more."""


def sentences(reason: str | None, whose: Whose) -> Text:
    """Why, and what changes it: one sentence, or two."""
    if reason is not None and reason.startswith(FAILED):
        return Text("What opens it {failure}.", failure=reason.removeprefix(FAILED))
    words = wording(reason, whose)
    return two_sentences(words.why.capital(), words.remedy)


def two_sentences(why: Text, remedy: str) -> Text:
    """`why` gets its full stop here; `remedy` has one, or is empty."""
    return Text("{why}. {remedy}", why=why, remedy=remedy) if remedy else Text("{why}.", why=why)


def wording(reason: str | None, whose: Whose) -> Wording:
    """The words for a reason; for one that this software doesn't know, the reason itself."""
    if reason is None:
        return Wording(Text("no reason was given"))
    try:
        known = Reason(reason)
    except ValueError:
        return Wording(Text("reason “{reason}”", reason=reason))
    return UNKNOWN_CARD[whose] if known is Reason.UNKNOWN_CARD else WORDING[known]
