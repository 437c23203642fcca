"""What the virtual controllers are screwed to: a door's leaf, and a saw. Moves as the real ones do.

A leaf opens while its lock is released, or by force, or from inside. A motor turns while its switch
is on, its contactor lets current through, and its emergency stop isn't pressed. The controllers
learn of it through their circuits only.
"""

import asyncio
from enum import StrEnum
from types import MappingProxyType

from console.demo.wires import Circuits
from console.errors import BadRequest

PRESS_SECONDS = 0.15
"""As long as somebody holds the exit button before she pushes the leaf."""


class Move(StrEnum):
    """What somebody does to a leaf."""

    OPEN = "open"
    FORCE = "force"
    LEAVE = "leave"
    CLOSE = "close"


class Leaf:
    """The leaf of a door, its contact, and the exit button inside. Made closed."""

    PINS = MappingProxyType({"contact": 5, "exit": 6})
    CLOSED = frozenset({"contact"})

    def __init__(self, name: str, circuits: Circuits) -> None:
        self._name = name
        self._circuits = circuits
        self._is_released = False
        self._is_open = False

    @property
    def is_open(self) -> bool:
        """Whether somebody can walk through."""
        return self._is_open

    def relay_changed(self, is_on: bool) -> None:
        """The strike lets go, or holds again what is closed."""
        self._is_released = is_on

    async def move(self, move: Move) -> None:
        """Raises: BadRequest when it can't be moved so."""
        match move:
            case Move.CLOSE:
                self._swing(is_open=False)
            case _ if self._is_open:
                raise BadRequest(f"The {self._name} is open already. Close it first.")
            case Move.LEAVE:
                self._circuits.move("exit", is_closed=True)
                await asyncio.sleep(PRESS_SECONDS)
                self._swing(is_open=True)
                self._circuits.move("exit", is_closed=False)
            case Move.OPEN if not self._is_released:
                raise BadRequest(
                    f"The {self._name} is locked. Hold a card to its reader first, or force it."
                )
            case Move.OPEN | Move.FORCE:
                self._swing(is_open=True)

    def _swing(self, *, is_open: bool) -> None:
        self._is_open = is_open
        self._circuits.move("contact", is_closed=not is_open)


class Saw:
    """A saw with a switch that falls off without power, so that it never starts by itself."""

    PINS = MappingProxyType({"current": 5, "stop": 6})
    CLOSED = frozenset({"stop"})

    def __init__(self, name: str, circuits: Circuits) -> None:
        self._name = name
        self._circuits = circuits
        self._has_power = False
        self._runs = False
        self._is_stopped = False

    @property
    def runs(self) -> bool:
        """Whether its motor turns."""
        return self._runs

    @property
    def is_stopped(self) -> bool:
        """Whether its emergency stop is pressed."""
        return self._is_stopped

    def relay_changed(self, is_on: bool) -> None:
        """The contactor closes or opens."""
        self._has_power = is_on
        if not is_on:
            self._turn(runs=False)

    def switch(self, *, runs: bool) -> None:
        """The switch of the motor. Raises: BadRequest when nothing turns."""
        if runs and self._is_stopped:
            raise BadRequest(
                f"The emergency stop of the {self._name} is pressed. Pull it out first."
            )
        if runs and not self._has_power:
            raise BadRequest(
                f"The {self._name} has no power. Hold a card to its reader first: "
                "one of somebody in the circle “table-saw”."
            )
        self._turn(runs=runs)

    def press(self, *, is_stopped: bool) -> None:
        """The emergency stop: pressed, or pulled out again. It cuts the power by itself."""
        self._is_stopped = is_stopped
        self._circuits.move("stop", is_closed=not is_stopped)
        if is_stopped:
            self._turn(runs=False)

    def _turn(self, *, runs: bool) -> None:
        if runs is not self._runs:
            self._runs = runs
            self._circuits.move("current", is_closed=runs)
