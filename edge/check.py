"""Whether a controller could run: every finding at once, each failure with its remedy.

No finding keeps another from being told. Makes nothing. What only one program
can have, pins and the broker's session, is left alone while a daemon has it, and that is asked.
"""

import asyncio
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from edge.asking import ask_state
from edge.check_folder import check_folder
from edge.check_pins import warn_of_pins
from edge.claim import AlreadyRunning, left_alone
from edge.enrolment import (
    EnrolmentError,
    check_is_apart,
    check_may_replace,
    read_kept,
    read_offered,
)
from edge.errors import BECOME, EdgeError, LinkLost, PinError
from edge.finding import Finding
from edge.link import connected, plan_route
from edge.point_settings import inputs_of, pins_of
from edge.settings import EdgeSettings
from edge.soundness import owner_of
from edge.status import socket_path
from sync.bundle import Bundle
from sync.settings_table import SettingsError

BROKER_SECONDS = 10.0
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""A machine that believes in an earlier time has never been told one."""

_BROKER_REMEDIES = {
    "Not authori": "its password was refused: enrol anew, or run p2k16-console broker-config and "
    "reload Mosquitto",
    "Bad user name": "its password was refused: enrol anew, or run p2k16-console broker-config and "
    "reload Mosquitto",
    "see its ACL": "run p2k16-console broker-config and reload Mosquitto",
    "CERTIFICATE_VERIFY": "set mqtt.ca_file to the authority that signed its certificate; look at "
    "the clock, too",
    "holds no certificates": "correct mqtt.ca_file",
    "is not encrypted": "correct the settings as it says",
    "can't be read": "enrol it again, with --broker as it says",
    "Name or service": "is the host's name right, and does the network have a name server?",
    "name resolution": "is the host's name right, and does the network have a name server?",
}
"""By what the broker, or the way there, says."""


def check(
    settings: EdgeSettings, source: str, *, wall_seconds: Callable[[], float] = time.time
) -> Iterator[Finding]:
    """Looks at one thing after the other. `source`: where the settings came from."""
    yield Finding(
        "settings", f"{source}, {len(settings.doors)} door(s), {len(settings.tools)} tool(s)"
    )
    yield from _check_socket(settings.data_dir)
    is_running = False
    bundle = _bundle(settings)
    with ExitStack() as stack:
        try:
            stack.enter_context(left_alone(settings.data_dir))
        except AlreadyRunning:
            is_running = True
        except EdgeError as error:
            is_denied = isinstance(error.__cause__, PermissionError)
            remedy = BECOME if is_denied else "create it, or let this user write to it"
            yield Finding("data_dir", str(error), remedy)
        if _is_folder(settings.data_dir):
            owner = owner_of(bundle) if isinstance(bundle, Bundle) else None
            yield from check_folder(settings.data_dir, owner)
        elif not os.path.lexists(settings.data_dir):
            yield from _check_missing(settings.data_dir)
        yield _check_clock(wall_seconds())
        for point in settings.points:
            yield _check_port(f"reader {point.key}", point.reader.port)
        if is_running:
            yield Finding("pins", "in use by the running daemon")
        else:
            yield from _check_pins(settings)
        yield from warn_of_pins(settings)
        if isinstance(bundle, Finding):
            yield bundle
        else:
            yield Finding("enrolment", f"controller {bundle.controller}")
        yield from _check_authorities(settings.mqtt.ca_file)
        yield _check_link(settings, bundle, is_running=is_running)


def mistakes(error: SettingsError) -> Iterator[Finding]:
    """What is wrong with settings that can't be read: nothing else can be looked at then."""
    for mistake in error.mistakes:
        yield Finding("settings", mistake, f"correct it in {error.source}")


def _check_socket(data_dir: Path) -> Iterator[Finding]:
    try:
        socket_path(data_dir)
    except EdgeError as error:
        text = str(error).partition(": ")[2]
        yield Finding("data_dir", text, "name a shorter data_dir")


def _check_authorities(path: Path | None) -> Iterator[Finding]:
    """Also where the way to the broker needs none: it may from the next enrolment on."""
    if path is not None and not (os.path.isfile(path) and os.access(path, os.R_OK)):  # noqa: PTH113
        text = f"{path} is not there, or this user can't read it"
        yield Finding("ca_file", text, "correct mqtt.ca_file", is_warning=True)


def _is_folder(path: Path) -> bool:
    """Also when this user may not look."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _check_missing(data_dir: Path) -> Iterator[Finding]:
    """The daemon makes the folder, and those above it. What it will lie on is told all the same."""
    try:
        data_dir.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        yield Finding("data_dir", f"{data_dir}: {error.strerror}", "correct data_dir")
        return
    above = next(path for path in data_dir.absolute().parents if os.path.lexists(path))
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        yield Finding("data_dir", f"{data_dir} is not there: the daemon makes it")
        yield from (found for found in check_folder(data_dir, None) if found.what != "data_dir")
    else:
        text = f"data_dir {data_dir} can't be made in {above}"
        yield Finding("data_dir", text, "create it, or let this user write to it")


def _check_clock(wall_seconds: float) -> Finding:
    now = datetime.fromtimestamp(wall_seconds, UTC)
    text = f"{now:%Y-%m-%d %H:%M} UTC"
    if now >= EARLIEST:
        return Finding("clock", text)
    remedy = (
        "connect it to a network with a time server, or add a clock chip (firmware-config); doors "
        "don't need it, but the broker's certificate does"
    )
    return Finding("clock", f"the system's clock was never set: {text}", remedy)


def _check_port(what: str, port: str) -> Finding:
    """Looks, and opens nothing: a daemon may have it, and a reader may start anew when opened."""
    if "://" in port:
        remedy = "write the path of a serial port into reader.port"
        return Finding(what, f"{port} is a URL, and the daemon opens paths only", remedy)
    try:
        mode = Path(port).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return Finding(what, f"{port} is not there", "plug it in, or correct reader.port")
    except OSError as error:
        return Finding(what, f"{port}: {error.strerror}", "correct reader.port")
    if not stat.S_ISCHR(mode):
        return Finding(what, f"{port} is no serial port", "correct reader.port")
    if not os.access(port, os.R_OK | os.W_OK):
        return Finding(what, f"{port} can't be opened", "add this user to the group dialout")
    return Finding(what, port)


def _check_pins(settings: EdgeSettings) -> Iterator[Finding]:
    """In the guard's factory; each is let go of again at once, as it was: off."""
    from edge.pins import InputPin, OutputPin, load_pin_factory

    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        try:
            load_pin_factory(Path(folder))
        except PinError as error:
            yield Finding("pins", str(error), "see firmware-config/README.md")
            return
        for one in (*settings.doors, *settings.tools):
            inputs = {found.pin for found in inputs_of(one).values()}
            for name, number in pins_of(one):
                what = f"{name.partition('.')[0]} {one.point.key}"
                kind = InputPin if number in inputs else OutputPin
                try:
                    pin = kind(number, purpose=what)
                except PinError as error:
                    yield Finding(what, str(error), "choose another pin, or free this one")
                else:
                    stack.callback(pin.close)
                    yield Finding(what, f"BCM {number}")


def _bundle(settings: EdgeSettings) -> Bundle | Finding:
    try:
        kept = read_kept(settings.data_dir)
        if settings.bundle is not None:
            check_is_apart(settings.data_dir, settings.bundle)
        offered = None if settings.bundle is None else read_offered(settings.bundle)
        if settings.bundle is not None and offered is not None:
            check_may_replace(kept, offered, settings.bundle)
    except EnrolmentError as error:
        text, _, remedy = str(error).partition(". ")
        if isinstance(error.__cause__, PermissionError):
            remedy = BECOME
        elif isinstance(error.__cause__, OSError):
            remedy = "correct data_dir or bundle"
        return Finding("enrolment", text, remedy or "p2k16-console controllers enrol NAME")
    bundle = offered or kept
    if bundle is None:
        missing = (
            "bundle names none" if settings.bundle is None else f"{settings.bundle} is missing"
        )
        remedy = "p2k16-console controllers enrol NAME --out FILE, and name FILE as bundle"
        return Finding("enrolment", f"not enrolled: {missing}", remedy)
    return bundle


def _check_link(settings: EdgeSettings, bundle: Bundle | Finding, *, is_running: bool) -> Finding:
    if is_running:
        return _ask_daemon(settings.data_dir)
    if isinstance(bundle, Finding):
        return Finding("broker", "not known: a bundle names it", "enrol the controller first")
    return asyncio.run(_check_broker(settings, bundle))


def _ask_daemon(data_dir: Path) -> Finding:
    try:
        state = ask_state(data_dir)
    except EdgeError as error:
        return Finding("broker", str(error), "restart the daemon, and look at its log")
    trouble = state["link_trouble"]
    if state["link"] == "up":
        return Finding("broker", "the running daemon is linked to it")
    text = "the running daemon isn't linked to it"
    if trouble is None:
        return Finding("broker", text, "wait a minute, and check again")
    return Finding("broker", f"{text}: {trouble}", _broker_remedy(str(trouble)))


async def _check_broker(settings: EdgeSettings, bundle: Bundle) -> Finding:
    try:
        route = plan_route(bundle, settings.mqtt)
    except EdgeError as error:
        text, _, remedy = str(error).partition(". ")
        return Finding("broker", text, remedy)
    try:
        async with asyncio.timeout(BROKER_SECONDS), connected(route, bundle):
            return Finding("broker", str(route.address))
    except (LinkLost, TimeoutError) as error:
        text = str(error) or f"{route.address}: no answer within {BROKER_SECONDS:.0f} s"
    return Finding("broker", text, _broker_remedy(text))


def _broker_remedy(text: str) -> str:
    usual = "is the broker running, and does the network reach it?"
    return next((remedy for said, remedy in _BROKER_REMEDIES.items() if said in text), usual)
