"""Pins: relays for the guard, lights and inputs for the daemon. The only importer of gpiozero.

All outputs are active-high and off at first: a dead controller energises nothing. Which pin
does what is the caller's affair. gpiozero takes its pin factory from the environment
(GPIOZERO_PIN_FACTORY=mock needs no Raspberry Pi). asyncio is imported by what needs it: the guard
does without those 3 MB.
"""

# gpiozero ships no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import chdir, suppress
from pathlib import Path

from gpiozero import Device, DigitalInputDevice, DigitalOutputDevice
from gpiozero.exc import GPIOZeroError, GPIOZeroWarning

from edge.errors import PinError


class InputPin:
    """One input: a circuit from the pin to ground, which the chip's own resistor pulls up."""

    def __init__(
        self, number: int, *, purpose: str, changed: Callable[[bool], None] | None = None
    ) -> None:
        """Takes the pin. `changed` gets whether the circuit is closed, at once and after each
        change, on the running loop. Raises: PinError.
        """
        name = f"pin {number} ({purpose})"
        load_pin_factory(Path.cwd())
        try:
            self._device = DigitalInputDevice(number, pull_up=True)
        except _pin_errors() as error:
            raise PinError(
                f"{name} can't be used: {error}. Expected a free BCM number, and a user who may "
                "open /dev/gpiochip* (on Raspberry Pi OS: group gpio)."
            ) from error

        if changed is not None:
            self._tell(changed)

    def _tell(self, changed: Callable[[bool], None]) -> None:
        from asyncio import get_running_loop

        loop = get_running_loop()

        def tell() -> None:  # gpiozero calls from a thread of its own
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(lambda: changed(self.is_closed))

        self._device.when_activated = tell
        self._device.when_deactivated = tell
        changed(self.is_closed)

    @property
    def is_closed(self) -> bool:
        """What the pin says now."""
        return bool(self._device.value)

    def close(self) -> None:
        """Lets go of the pin."""
        self._device.close()


def move_mock_pins_by(fifo: Path) -> None:
    """Lets whoever writes lines such as `17 low` into the FIFO move gpiozero's mock pins, from now
    on. Needs the running loop. Raises: PinError.
    """
    from asyncio import get_running_loop

    try:
        descriptor = os.open(fifo, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise PinError(f"P2K16_MOCK_INPUTS={fifo} can't be read: {error.strerror}") from error

    def read() -> None:
        with suppress(OSError):
            _move_mock_pins(os.read(descriptor, 4096).decode("ascii", "replace"))

    get_running_loop().add_reader(descriptor, read)


def _move_mock_pins(lines: str) -> None:
    """Only where GPIOZERO_PIN_FACTORY=mock: real pins are moved by what is wired to them."""
    factory = Device.pin_factory
    if type(factory).__name__ != "MockFactory" or factory is None:
        return
    for line in lines.splitlines():
        number, _, level = line.partition(" ")
        if number.isdecimal() and level in {"low", "high"}:
            pin = factory.pin(int(number))
            pin.drive_low() if level == "low" else pin.drive_high()


class OutputPin:
    """One output, off until told otherwise. Pins have BCM numbers."""

    def __init__(self, number: int, *, purpose: str) -> None:
        """Takes the pin. Raises: PinError."""
        self._name = f"pin {number} ({purpose})"
        load_pin_factory(Path.cwd())
        try:
            self._device = DigitalOutputDevice(number, active_high=True, initial_value=False)
        except _pin_errors() as error:
            raise PinError(
                f"{self._name} can't be used: {error}. Expected a free BCM number, and a user who "
                "may open /dev/gpiochip* (on Raspberry Pi OS: group gpio)."
            ) from error

    def on(self) -> None:
        """Drives the pin high. Raises: PinError."""
        try:
            self._device.on()
        except _pin_errors() as error:
            raise PinError(f"{self._name} can't be switched on: {error}") from error

    def off(self) -> None:
        """Drives the pin low. Raises: PinError."""
        try:
            self._device.off()
        except _pin_errors() as error:
            raise PinError(f"{self._name} can't be switched off: {error}") from error

    @property
    def is_on(self) -> bool:
        """What the pin itself says."""
        return bool(self._device.value)

    def close(self) -> None:
        """Makes the pin an input again: firmware-config/wiring.md says which resistor holds it."""
        self._device.close()


class JoinedPins:
    """Outputs that are on and off together: a relay, and the contactor upstream of it."""

    def __init__(self, numbers: Sequence[int], *, purpose: str) -> None:
        """Takes the pins. Raises: PinError."""
        self._pins: list[OutputPin] = []
        try:
            for number in numbers:
                self._pins.append(OutputPin(number, purpose=purpose))
        except PinError:
            self.close()
            raise

    def on(self) -> None:
        """Raises: PinError; those that could be are on then, so switch off."""
        for pin in self._pins:
            pin.on()

    def off(self) -> None:
        """Raises: PinError, after the last one: the others must go off all the same."""
        failures: list[PinError] = []
        for pin in self._pins:
            try:
                pin.off()
            except PinError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def close(self) -> None:
        """As `OutputPin.close`."""
        for pin in self._pins:
            pin.close()


def load_pin_factory(work_dir: Path) -> None:
    """Chooses the pin factory, once for each process; later calls do nothing.

    lgpio makes a FIFO `.lgd-nfy0` in the working directory when it is imported, so that must be a
    writable folder, and one that no other program with pins shares: each would read the other's.
    Raises: PinError.
    """
    if Device.pin_factory is not None:
        return
    try:
        with chdir(work_dir), warnings.catch_warnings():
            # When lgpio fails, gpiozero would try libraries that write to the chip's registers: a
            # pin so driven stays on after the process has died, whatever strict_gpiod says.
            warnings.simplefilter("error", GPIOZeroWarning)
            Device.ensure_pin_factory()
    except _pin_errors() as error:
        raise PinError(
            f"the pins can't be used: {error}. Is this a Raspberry Pi, and is its user in the "
            "group gpio? GPIOZERO_PIN_FACTORY=mock works anywhere."
        ) from error


def _pin_errors() -> tuple[type[BaseException], ...]:
    """What gpiozero and the library below it raise.

    lgpio's own class is looked up rather than imported, because importing lgpio starts a thread
    and makes its FIFO.
    """
    raised: tuple[type[BaseException], ...] = (
        GPIOZeroError,
        GPIOZeroWarning,
        OSError,
        ImportError,
        RuntimeError,
        ValueError,
    )
    lgpio = sys.modules.get("lgpio")
    return (*raised, lgpio.error) if lgpio is not None else raised
