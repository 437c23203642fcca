"""What a controller says of an event besides its kind, in the words of a page. Pure.

Controllers speak English. What they say is the same few sentences; another one, of newer software,
is shown as it came.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from console.words import Text, unfilled

_SAID: Mapping[str, Text] = MappingProxyType(
    {
        # Why somebody's time at a tool ended: edge/tool.py and edge/workbench.py.
        "not started": Text("Not started."),
        "idle": Text("It stood still for too long."),
        "the longest session is over": Text("Nobody may use it for longer at a stretch."),
        "emergency stop": Text("Its emergency stop was pressed."),
        "fault": Text("Something failed."),
        "taken over": Text("Somebody else took it over."),
        "handed back": Text("Given back."),
        "card taken away": Text("The card was taken away."),
        "power lost": Text("Its power was gone for a moment."),
        "no relay guard": Text("It could not be switched on."),
        "locked by a command": Text("It was set back to normal."),
        "lockdown": Text("It was locked down."),
        "out_of_service": Text("It was taken out of service."),
        # Why a door stands unlocked: edge/rounds.py.
        "by a command": Text("By an order."),
        "by its hours": Text("By its hours."),
        # Of a reader: edge/readers/trouble.py.
        "it is there again": Text("It is there again."),
        "its port is missing or taken": Text("Its port is missing or taken."),
        "it doesn't answer": Text("It doesn’t answer."),
        # Of a break-glass card: edge/recorder.py.
        "with a break-glass card, while nothing could be recorded": Text(
            "With a break-glass card, while nothing could be recorded."
        ),
    }
)
_FILLED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?P<n>\d+) bad frames"), unfilled("{n} times it sent what is no card.")),
    (
        re.compile(r"(?P<n>\d+) more bad frames, then sound again"),
        unfilled("{n} more times it sent what is no card; it is well again."),
    ),
    (
        re.compile(r"the controller stood still for (?P<n>\d+) s: hold the card again"),
        unfilled("The controller stood still for {n} s; cards held meanwhile were not answered."),
    ),
    (re.compile(r"right lost: \w+"), unfilled("The right to it ended.")),
    (re.compile(r"\w+ to (?:fresh|aging)"), unfilled("Its rights are current again.")),
    (re.compile(r"\w+ to soft"), unfilled("It has not heard from here for too long.")),
    (
        re.compile(r"\w+ to hard"),
        unfilled("It has not heard from here for so long that only break-glass cards work."),
    ),
)


def in_words(detail: str) -> str:
    """A sentence; empty for nothing."""
    detail = detail.strip()
    if detail in _SAID:
        return _SAID[detail]
    for pattern, words in _FILLED:
        found = pattern.fullmatch(detail)
        if found:
            return Text.filled(words, found.groupdict())
    return f"{detail[:1].upper()}{detail[1:]}." if detail else ""
