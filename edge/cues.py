"""What a reader's lights show: green while unlocked, red for a moment when denied, red in a fault.

A table says which cue is which light; `Shown` is pure; `Lights` moves the pins. A red light may
blink in a fault, a status calls it "red" all the same.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

import structlog

from edge.errors import PinError

log = structlog.get_logger()

DENIED_SECONDS = 1.0
BLINK_SECONDS = 0.5


class Colour(StrEnum):
    """What a status shows of the lights."""

    OFF = "off"
    GREEN = "green"
    RED = "red"


class Cue(StrEnum):
    """What there is to show."""

    LOCKED = "locked"
    GRANTED = "granted"
    DENIED = "denied"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Light:
    """How a cue looks. `seconds` None: until the next lasting cue."""

    colour: Colour
    seconds: float | None = None
    blinks: bool = False


LIGHTS: Mapping[Cue, Light] = MappingProxyType(
    {
        Cue.LOCKED: Light(Colour.OFF),
        Cue.GRANTED: Light(Colour.GREEN),
        Cue.DENIED: Light(Colour.RED, seconds=DENIED_SECONDS),
        Cue.FAULT: Light(Colour.RED, blinks=True),
    }
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A lasting cue, and perhaps a passing one in front of it until `passes_at` (monotonic s)."""

    lasting: Cue = Cue.LOCKED
    passing: Cue | None = None
    passes_at: float = 0.0

    def then(self, cue: Cue, now: float) -> "Shown":
        """What is shown after a further cue."""
        light = LIGHTS[cue]
        if light.seconds is not None:
            return replace(self, passing=cue, passes_at=now + light.seconds)
        if light.colour is Colour.OFF:  # the red of a denial stays its second
            return replace(self, lasting=cue)
        return Shown(lasting=cue)

    def light(self, now: float) -> Light:
        """What is to be seen now."""
        if self.passing is not None and now < self.passes_at:
            return LIGHTS[self.passing]
        return LIGHTS[self.lasting]


class Output(Protocol):
    """What edge/pins.py offers."""

    def on(self) -> None:
        """Drives it."""
        ...

    def off(self) -> None:
        """Stops driving it."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...


class Lights:
    """The lights of one reader; either may be missing. A light that fails stops nothing."""

    def __init__(self, *, green: Output | None = None, red: Output | None = None) -> None:
        self._outputs = {Colour.GREEN: green, Colour.RED: red}
        self._shown = Shown()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def colour(self) -> Colour:
        """What is shown now; the colour of the cue even if that light is missing."""
        return self._shown.light(asyncio.get_running_loop().time()).colour

    def show(self, cue: Cue) -> None:
        """Shows a cue from now on, or for its moment."""
        self._shown = self._shown.then(cue, asyncio.get_running_loop().time())
        self._drive(lit=True)

    def close(self) -> None:
        """Turns the lights off and lets go of the pins."""
        if self._timer is not None:
            self._timer.cancel()
        self._shown = Shown()
        for output in self._outputs.values():
            if output is not None:
                output.close()

    def _drive(self, *, lit: bool) -> None:
        """Moves the pins, and comes back when something is to change."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        light = self._shown.light(now)
        for colour, output in self._outputs.items():
            if output is not None:
                _switch(output, on=lit and colour is light.colour)
        if light.seconds is not None:
            self._timer = loop.call_at(self._shown.passes_at, lambda: self._drive(lit=True))
        elif light.blinks:
            self._timer = loop.call_later(BLINK_SECONDS, lambda: self._drive(lit=not lit))


def _switch(output: Output, *, on: bool) -> None:
    try:
        if on:
            output.on()
        else:
            output.off()
    except PinError as error:
        log.warning("light.failed", reason=str(error))
