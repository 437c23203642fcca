"""A relay and its upstream contactor, on gpiozero's mock pins."""

# gpiozero ships no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable, Iterator

import pytest
from gpiozero import Device
from gpiozero.exc import GPIOZeroError

from edge.errors import PinError
from edge.guard import Guard
from edge.lease import GrantId, Lease, Release
from edge.pins import JoinedPins, OutputPin
from sync.ids import PointKey

RELAY, UPSTREAM = 24, 16
SAW, GRANT = PointKey("saw"), GrantId("11" * 16)


@pytest.fixture
def saw(monkeypatch: pytest.MonkeyPatch) -> Iterator[JoinedPins]:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    pins = JoinedPins([RELAY, UPSTREAM], purpose="relay of saw")
    yield pins
    pins.close()


def levels() -> tuple[bool, bool]:
    """What the two pins are driven to."""
    factory = Device.pin_factory
    assert factory is not None
    return bool(factory.pin(RELAY).state), bool(factory.pin(UPSTREAM).state)


class Deaf:
    """The daemon's end, which nobody reads."""

    def send(self, data: bytes, _flags: int, /) -> int:
        return len(data)


def test_a_lease_holds_both_and_its_end_drops_both(saw: JoinedPins) -> None:
    now_ns = 1_000_000_000
    guard = Guard({SAW: saw}, Deaf(), None, mono_ns=lambda: now_ns)
    assert levels() == (False, False)
    guard.obey(Lease(SAW, GRANT, now_ns + 500_000_000))
    assert levels() == (True, True)
    guard.obey(Release(SAW, GRANT))
    assert levels() == (False, False)


@pytest.mark.parametrize("broken", [RELAY, UPSTREAM])
def test_one_that_can_not_be_switched_off_leaves_the_other_off(
    saw: JoinedPins, broken: int
) -> None:
    saw.on()
    mend = break_pin(broken)
    with pytest.raises(PinError, match=f"pin {broken} .* can't be switched off"):
        saw.off()
    assert levels() == (broken == RELAY, broken == UPSTREAM)
    mend()


@pytest.mark.parametrize("broken", [RELAY, UPSTREAM])
def test_a_guard_that_can_switch_only_one_of_them_on_switches_it_off_again(
    saw: JoinedPins, broken: int
) -> None:
    guard = Guard({SAW: saw}, Deaf(), None, mono_ns=lambda: 0)
    mend = break_pin(broken)
    with pytest.raises(PinError):
        guard.obey(Lease(SAW, GRANT, 500_000_000))
    mend()
    guard.turn_all_off()  # as its program does, whatever it ends for
    assert levels() == (False, False)


def test_pins_that_can_not_be_had_together_are_all_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    taken = OutputPin(UPSTREAM, purpose="light")
    with pytest.raises(PinError, match="pin 16"):
        JoinedPins([RELAY, UPSTREAM], purpose="relay of saw")
    taken.close()
    JoinedPins([RELAY, UPSTREAM], purpose="relay of saw").close()


def break_pin(number: int) -> Callable[[], None]:
    """A mock pin that refuses to be driven, until the function is called that this returns."""
    factory = Device.pin_factory
    assert factory is not None
    pin = factory.pin(number)

    def refuse(_value: object) -> None:
        raise GPIOZeroError("no such line")

    pin._set_state = refuse
    return lambda: delattr(pin, "_set_state")
