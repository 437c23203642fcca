"""What a check says of pins that a program can have and a door had better not use.

Warnings only: they hang on what is wired to them. Source: firmware-config/wiring.md.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from edge.finding import Finding
from edge.point_settings import BCM_PIN_MAX, pins_of
from edge.settings import EdgeSettings

PULLED_UP_MAX = 8
"""BCM 0 to 8 are pulled up at power-up. Source: BCM2835 ARM Peripherals, page 102."""

UART_PINS = frozenset({14, 15})
UARTS = frozenset({"serial0", "ttyAMA0", "ttyS0"})
"""Names below /dev of the serial line at these pins. Source: firmware-config/README.md."""


def warn_of_pins(settings: EdgeSettings) -> Iterator[Finding]:
    """For each pin, all that speaks against it."""
    ports = (point.reader.port for point in settings.points)
    is_uart_used = any(
        Path(name).name in UARTS for port in ports for name in (port, os.path.realpath(port))
    )
    for one in (*settings.doors, *settings.tools):
        for name, number in pins_of(one):
            what = f"{name.partition('.')[0]} {one.point.key}"
            if name.startswith("relay.") and number <= PULLED_UP_MAX:
                text = f"BCM {number} is pulled up at power-up: the relay clicks"
                remedy = f"take one of BCM {PULLED_UP_MAX + 1} to {BCM_PIN_MAX}"
                yield _warning(what, text, remedy)
            if is_uart_used and number in UART_PINS:
                text = f"BCM {number} belongs to the serial line that a reader uses"
                yield _warning(what, text, "take another pin")


def _warning(what: str, text: str, remedy: str) -> Finding:
    return Finding(what, text, f"{remedy}: firmware-config/wiring.md", is_warning=True)
