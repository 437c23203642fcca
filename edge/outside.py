"""What the daemon reaches beyond itself: clocks, chance, pins, ports, disk, network.

The one list of it. edge/assembly.py builds everything else on top, so that a proof can put a made
world in its place and run the same daemon on it.
"""

import os
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from edge.board import Places
from edge.cues import Output
from edge.link import Route, connected
from edge.listening import Hears, Line
from edge.port import Port
from edge.relays import Relays
from edge.session import Session
from edge.settings import EdgeSettings
from edge.store import Store, open_store
from edge.unlocks import HoldsRelays
from sync.bundle import Bundle
from sync.ids import PointKey

RelayChanged = Callable[[PointKey, bool | None], None]


@dataclass(frozen=True, slots=True)
class Outside:
    """`mono_ns`, `wall_ns`: clocks in nanoseconds. `chance`: from 0 to below 1."""

    mono_ns: Callable[[], int]
    wall_ns: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    chance: Callable[[], float]
    relays: Callable[[EdgeSettings, RelayChanged], HoldsRelays]
    output: Callable[[int, str, Path], Output]
    """Pin number, what it is for, a folder for the pin library."""

    input: Callable[[int, str, Path, Callable[[bool], None]], object]
    """The same, and who hears whether its circuit is closed, at once and after each change."""

    port: Callable[[str, int, Hears], Line]
    """Path, baud, who hears what comes."""

    store: Callable[[Path, str], Awaitable[tuple[Store, Path | None]]]
    connected: Callable[[Route, Bundle], AbstractAsyncContextManager[Session]]
    places: Places
    """Where the machine tells how it is."""


def real() -> Outside:
    """The machine."""
    return Outside(
        mono_ns=time.monotonic_ns,
        wall_ns=time.time_ns,
        random_bytes=os.urandom,
        chance=random.random,
        relays=_relays,
        output=_output,
        input=_input,
        port=_port,
        store=open_store,
        connected=connected,
        places=Places(),
    )


def _relays(settings: EdgeSettings, changed: RelayChanged) -> Relays:
    return Relays(
        {point.key: point.relay_pins for point in settings.points},
        work_dir=settings.data_dir / "guard",
        trace=settings.guard_trace,
        changed=changed,
    )


def _port(path: str, baud: int, hears: Hears) -> Port:
    return Port(path, baud=baud, received=hears.hear, opened=hears.begin, lost=hears.lose)


def _output(number: int, purpose: str, folder: Path) -> Output:
    """Raises: PinError."""
    # gpiozero takes 8 MB: only a controller with such pins imports it.
    from edge.pins import OutputPin, load_pin_factory

    folder.mkdir(exist_ok=True)
    load_pin_factory(folder)
    return OutputPin(number, purpose=purpose)


def _input(number: int, purpose: str, folder: Path, changed: Callable[[bool], None]) -> object:
    """Raises: PinError."""
    from edge.pins import InputPin, load_pin_factory

    folder.mkdir(exist_ok=True)
    load_pin_factory(folder)
    return InputPin(number, purpose=purpose, changed=changed)
