"""What a reader shows and sounds: green while unlocked, red for a moment when denied, and so on.

A table says which cue is which light and sound; `Shown` is pure; `Lights` moves the pins. A light
may blink, a status calls it by its colour all the same. Amber is both lights at once. Cues differ
by something else than their colour, too, for people who can't tell red from green.
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
BEEP_SECONDS = 0.08
PAUSE_SECONDS = 0.08
HUM_SECONDS = 0.6


class Colour(StrEnum):
    """What a status shows of the lights."""

    OFF = "off"
    GREEN = "green"
    RED = "red"
    AMBER = "amber"


class Cue(StrEnum):
    """What there is to show."""

    LOCKED = "locked"
    STALE = "stale"
    """Locked, and the rights are a day old."""

    OPEN = "open"
    """Unlocked for everybody."""

    ALARM = "alarm"
    GRANTED = "granted"
    GRANTED_STALE = "granted_stale"
    """Granted, and the rights are a day old."""

    REFUSED = "refused"
    """Nobody gets in now, whatever the card."""

    DENIED = "denied"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Light:
    """How a cue looks and sounds. `seconds` None: until the next lasting cue.

    `sound`: seconds on, off, on … of the buzzer, once, as the cue begins.
    """

    colour: Colour
    seconds: float | None = None
    blinks: bool = False
    sound: tuple[float, ...] = ()


_BEEP = (BEEP_SECONDS,)
_TWO = (BEEP_SECONDS, PAUSE_SECONDS, BEEP_SECONDS)
_THREE = (*_TWO, PAUSE_SECONDS, BEEP_SECONDS)


LIGHTS: Mapping[Cue, Light] = MappingProxyType(
    {
        Cue.LOCKED: Light(Colour.OFF),
        Cue.STALE: Light(Colour.AMBER),
        Cue.OPEN: Light(Colour.GREEN, blinks=True),
        Cue.ALARM: Light(
            Colour.AMBER, blinks=True, sound=(HUM_SECONDS, PAUSE_SECONDS, HUM_SECONDS)
        ),
        Cue.GRANTED: Light(Colour.GREEN, sound=_BEEP),
        Cue.GRANTED_STALE: Light(Colour.GREEN, sound=_TWO),
        Cue.REFUSED: Light(Colour.RED, seconds=DENIED_SECONDS, sound=(HUM_SECONDS,)),
        Cue.DENIED: Light(Colour.RED, seconds=DENIED_SECONDS, sound=_THREE),
        Cue.FAULT: Light(Colour.RED, blinks=True),
    }
)


_STALE = {Cue.LOCKED: Cue.STALE, Cue.GRANTED: Cue.GRANTED_STALE}
"""How the cues differ while the rights are a day old."""

_AT_REST = (Cue.LOCKED, Cue.STALE)
_LIT = {
    Colour.OFF: (),
    Colour.GREEN: (Colour.GREEN,),
    Colour.RED: (Colour.RED,),
    Colour.AMBER: (Colour.GREEN, Colour.RED),
}


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
        if cue in _AT_REST:  # the red of a denial stays its second
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
    """The lights and the buzzer of one reader; any may be missing. One that fails stops nothing."""

    def __init__(
        self,
        *,
        green: Output | None = None,
        red: Output | None = None,
        buzzer: Output | None = None,
    ) -> None:
        self._buzzer = buzzer
        self._sound: asyncio.TimerHandle | None = None
        self._outputs = {Colour.GREEN: green, Colour.RED: red}
        self._shown = Shown()
        self._is_stale = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def colour(self) -> Colour:
        """What is shown now; the colour of the cue even if that light is missing."""
        return self._shown.light(asyncio.get_running_loop().time()).colour

    def show(self, cue: Cue) -> None:
        """Shows a cue from now on, or for its moment."""
        if self._is_stale:
            cue = _STALE.get(cue, cue)
        self._play(LIGHTS[cue].sound)
        self._shown = self._shown.then(cue, asyncio.get_running_loop().time())
        self._drive(lit=True)

    def set_stale(self, is_stale: bool) -> None:
        """Whether the rights are a day old."""
        if is_stale is self._is_stale:
            return
        self._is_stale = is_stale
        if self._shown.lasting in _AT_REST:
            self.show(Cue.LOCKED)

    def close(self) -> None:
        """Turns everything off and lets go of the pins."""
        for timer in (self._timer, self._sound):
            if timer is not None:
                timer.cancel()
        self._shown = Shown()
        for output in (*self._outputs.values(), self._buzzer):
            if output is not None:
                output.close()

    def _play(self, sound: tuple[float, ...], *, on: bool = True) -> None:
        """A new sound ends the one before."""
        if not sound and on:
            return
        if self._sound is not None:
            self._sound.cancel()
            self._sound = None
        if self._buzzer is None:
            return
        _switch(self._buzzer, on=bool(sound) and on)
        if sound:
            loop = asyncio.get_running_loop()
            self._sound = loop.call_later(sound[0], lambda: self._play(sound[1:], on=not on))

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
                _switch(output, on=lit and colour in _LIT[light.colour])
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
