"""What pages say became of an order. Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from console.controllers.order import Order
from console.controllers.orders import Answered, Done, NoAnswer, Refused
from console.controllers.shown import Shown
from console.events.wording import sentences
from console.web import times
from sync.commands import Operation
from sync.rights import PointKind, Reason

_DONE: Mapping[tuple[PointKind, Operation], str] = MappingProxyType(
    {
        (PointKind.DOOR, Operation.LOCK): "Back to normal: cards decide again",
        (PointKind.DOOR, Operation.LOCKDOWN): "Locked down: nobody gets in until it is set back",
        (PointKind.DOOR, Operation.OUT_OF_SERVICE): "Out of service until it is set back",
        (PointKind.DOOR, Operation.STOP_NOW): "Out of service, and locked at once",
        (PointKind.TOOL, Operation.LOCK): "Back to normal: cards decide again",
        (PointKind.TOOL, Operation.OUT_OF_SERVICE): (
            "Out of service until it is set back. If it runs, it is stopped when it is next idle"
        ),
        (
            PointKind.TOOL,
            Operation.STOP_NOW,
        ): "Without power and out of service until it is set back",
    }
)


def answer_shown(answered: Answered, order: Order, now: datetime) -> Shown:
    """What became of the order, in a sentence or two."""
    match answered:
        case Done(after_seconds):
            return Shown(f"{_done(order)}. It took {after_seconds:.1f} s.", "check", "good")
        case Refused(detail):
            return Shown(f"The controller refused: {refusal(detail)}", "cross", "bad")
        case NoAnswer() as silence:
            then = ", and nobody knows whether it was done"
            return Shown(no_answer(silence, now, then=then), "alert", "bad")
        case _:
            return Shown("No controller is there for it, or none that is heard.", "cross", "bad")


def no_answer(silence: NoAnswer, now: datetime, *, then: str) -> str:
    """How long nothing was heard. `then` ends that sentence."""
    if silence.waited_seconds < 1:
        return f"The controller can't be reached now{then}."
    last = silence.last_heard
    heard = "" if last is None else f" It was last heard {times.ago(last, now)}."
    return f"No answer from the controller for {silence.waited_seconds:.0f} s{then}.{heard}"


def refusal(detail: str) -> str:
    """A controller's reason, in the words that follow “refused:”."""
    name, _, text = detail.partition(":")
    match name:
        case "stale":
            return "the message was on its way for too long. Try again."
        case "unknown_point":
            return "it doesn't know this door or tool. Somebody should look at its settings."
        case Reason.RELAY_FAULT:
            return "its relay did not move. Use your card or the key, and tell an admin."
        case Reason.STORAGE_FAULT | Reason.STORAGE_SLOW | Reason.JOURNAL_FULL:
            return "it can't record this. Use the key, and tell an admin."
        case _ if name in set(Reason):
            words = sentences(name, is_known_person=True)
            return f"{words[:1].lower()}{words[1:]}"
        case _:
            return f"{text.strip() or name}."


def _done(order: Order) -> str:
    if order.operation is Operation.UNLOCK_UNTIL:
        return f"Unlocked for everybody for {times.length(order.seconds or 0)}"
    return _DONE[order.kind, order.operation]
