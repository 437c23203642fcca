"""Whether a controller could run: every finding at once, each failure with its remedy.

Makes nothing but the data folder. What only one program can have, pins and the broker's session, is
left alone while a daemon has it.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from edge.claim import AlreadyRunning, claimed
from edge.enrolment import EnrolmentError, check_may_replace, read_kept, read_offered
from edge.errors import EdgeError, LinkLost, PinError
from edge.link import connected, plan_route
from edge.point_settings import inputs_of, pins_of
from edge.settings import EdgeSettings
from sync.bundle import Bundle

BROKER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` None: it is well."""

    what: str
    text: str
    remedy: str | None = None

    def document(self) -> dict[str, object]:
        """The same for programs."""
        is_well = self.remedy is None
        return {"what": self.what, "ok": is_well, "text": self.text, "remedy": self.remedy}

    def __str__(self) -> str:
        verdict = "ok" if self.remedy is None else "failed"
        remedy = "" if self.remedy is None else f" – {self.remedy}"
        return f"{verdict:<7} {self.what:<10} {self.text}{remedy}"


def check(settings: EdgeSettings, source: str) -> Iterator[Finding]:
    """Looks at one thing after the other. `source`: where the settings came from."""
    yield Finding(
        "settings", f"{source}, {len(settings.doors)} door(s), {len(settings.tools)} tool(s)"
    )
    with ExitStack() as stack:
        try:
            stack.enter_context(claimed(settings.data_dir))
            is_running = False
        except AlreadyRunning:
            is_running = True
        except EdgeError as error:
            yield Finding("data_dir", str(error), "create it, or let this user write to it")
            return
        yield _check_data_dir(settings.data_dir)
        for point in settings.points:
            yield _check_port(f"reader {point.key}", Path(point.reader.port))
        if is_running:
            yield Finding("pins", "in use by the running daemon")
        else:
            yield from _check_pins(settings)
        bundle = _bundle(settings)
        if isinstance(bundle, Finding):
            yield bundle
            return
        yield Finding("enrolment", f"controller {bundle.controller}")
        if is_running:
            yield Finding("broker", "p2k16-edge status tells whether the running daemon is linked")
        else:
            yield asyncio.run(_check_broker(settings, bundle))


def _check_data_dir(path: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"p2k16")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return Finding("data_dir", f"{path}: {error.strerror}", "free space, or replace the disk")
    return Finding("data_dir", str(path))


def _check_port(what: str, path: Path) -> Finding:
    if not path.exists():
        return Finding(what, f"{path} is not there", "plug it in, or correct reader.port")
    if not os.access(path, os.R_OK | os.W_OK):
        return Finding(what, f"{path} can't be opened", "add this user to the group dialout")
    return Finding(what, str(path))


def _check_pins(settings: EdgeSettings) -> Iterator[Finding]:
    """In the guard's factory; each is let go of again at once, as it was: off."""
    from edge.pins import InputPin, OutputPin, load_pin_factory

    with tempfile.TemporaryDirectory(dir=settings.data_dir) as folder, ExitStack() as stack:
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
        offered = None if settings.bundle is None else read_offered(settings.bundle)
        if settings.bundle is not None and offered is not None:
            check_may_replace(kept, offered, settings.bundle)
    except EnrolmentError as error:
        return Finding("enrolment", str(error), "enrol again: p2k16-console controllers enrol")
    bundle = offered or kept
    if bundle is None:
        text = "not enrolled, and there is no bundle"
        remedy = "p2k16-console controllers enrol NAME --out FILE, and name FILE as bundle"
        return Finding("enrolment", text, remedy)
    return bundle


async def _check_broker(settings: EdgeSettings, bundle: Bundle) -> Finding:
    try:
        route = plan_route(bundle, settings.mqtt)
    except EdgeError as error:
        return Finding("broker", "not encrypted", str(error))
    try:
        async with asyncio.timeout(BROKER_SECONDS), connected(route, bundle):
            return Finding("broker", str(route.address))
    except (LinkLost, TimeoutError) as error:
        reason = str(error) or f"no answer within {BROKER_SECONDS:.0f} s"
        return Finding("broker", reason, "is it running, and does it know this controller?")
