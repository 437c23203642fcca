"""The reader's lights, on gpiozero's mock pins."""

from collections.abc import Iterator

import pytest

from edge.cues import BLINK_SECONDS, DENIED_SECONDS, LIGHTS, Colour, Cue, Lights, Shown
from edge.errors import PinError
from edge.pins import OutputPin
from tests.support.waiting import eventually

GREEN_PIN, RED_PIN = 5, 6


@pytest.fixture
def pins(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[OutputPin, OutputPin]]:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    green = OutputPin(GREEN_PIN, purpose="green light")
    red = OutputPin(RED_PIN, purpose="red light")
    yield green, red
    green.close()
    red.close()


def colours(*steps: tuple[float, Cue]) -> list[Colour]:
    """What is shown right after each cue, and two seconds after the last one."""
    shown, seen = Shown(), list[Colour]()
    for now, cue in steps:
        shown = shown.then(cue, now)
        seen.append(shown.light(now).colour)
    return [*seen, shown.light(steps[-1][0] + 2).colour]


def test_every_cue_has_a_light():
    assert set(LIGHTS) == set(Cue)


def test_green_lasts_as_long_as_the_unlock():
    assert colours((0, Cue.GRANTED)) == [Colour.GREEN, Colour.GREEN]
    assert colours((0, Cue.GRANTED), (5, Cue.LOCKED)) == [Colour.GREEN, Colour.OFF, Colour.OFF]


def test_a_denial_is_red_for_a_second():
    assert colours((0, Cue.DENIED)) == [Colour.RED, Colour.OFF]
    denied = Shown().then(Cue.DENIED, 10.0)
    assert denied.light(10.0 + DENIED_SECONDS - 0.01).colour is Colour.RED
    assert denied.light(10.0 + DENIED_SECONDS).colour is Colour.OFF


def test_a_denial_while_unlocked_is_red_and_then_green_again():
    assert colours((0, Cue.GRANTED), (1, Cue.DENIED)) == [Colour.GREEN, Colour.RED, Colour.GREEN]


def test_locking_does_not_cut_a_denial_short():
    assert colours((0, Cue.DENIED), (0.1, Cue.LOCKED)) == [Colour.RED, Colour.RED, Colour.OFF]


def test_a_grant_is_green_at_once_even_after_a_denial():
    assert colours((0, Cue.DENIED), (0.1, Cue.GRANTED)) == [Colour.RED, Colour.GREEN, Colour.GREEN]


def test_a_fault_is_red_until_it_is_over():
    assert colours((0, Cue.FAULT)) == [Colour.RED, Colour.RED]
    assert colours((0, Cue.FAULT), (1, Cue.DENIED)) == [Colour.RED, Colour.RED, Colour.RED]
    assert colours((0, Cue.FAULT), (1, Cue.LOCKED)) == [Colour.RED, Colour.OFF, Colour.OFF]


async def test_the_pins_do_what_the_cues_say(pins: tuple[OutputPin, OutputPin]):
    green, red = pins
    lights = Lights(green=green, red=red)
    assert (green.is_on, red.is_on, lights.colour) == (False, False, "off")
    lights.show(Cue.GRANTED)
    assert (green.is_on, red.is_on, lights.colour) == (True, False, "green")
    lights.show(Cue.DENIED)
    assert (green.is_on, red.is_on, lights.colour) == (False, True, "red")
    await eventually(lambda: green.is_on and not red.is_on, seconds=2 * DENIED_SECONDS)
    assert lights.colour == "green"
    lights.close()


async def test_a_fault_blinks(pins: tuple[OutputPin, OutputPin]):
    green, red = pins
    lights = Lights(green=green, red=red)
    lights.show(Cue.FAULT)
    assert red.is_on
    await eventually(lambda: not red.is_on, seconds=2 * BLINK_SECONDS)
    assert lights.colour == "red"
    await eventually(lambda: red.is_on, seconds=2 * BLINK_SECONDS)
    lights.show(Cue.LOCKED)
    assert not red.is_on
    lights.close()


async def test_without_lights_the_colour_is_still_known():
    lights = Lights()
    lights.show(Cue.GRANTED)
    assert lights.colour == "green"
    lights.close()


class BrokenOutput:
    def on(self) -> None:
        raise PinError("no")

    def off(self) -> None:
        raise PinError("no")

    def close(self) -> None:
        pass


async def test_a_broken_light_stops_nothing():
    lights = Lights(green=BrokenOutput())
    lights.show(Cue.GRANTED)
    lights.show(Cue.LOCKED)
    lights.close()


def test_a_pin_can_be_had_once(pins: tuple[OutputPin, OutputPin]):
    with pytest.raises(PinError, match=r"pin 5 \(another\) can't be used"):
        OutputPin(GREEN_PIN, purpose="another")
    with pytest.raises(PinError, match=r"pin 99 \(relay of front\) can't be used"):
        OutputPin(99, purpose="relay of front")
