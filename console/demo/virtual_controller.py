"""One virtual controller: the real daemon as a process of its own, with a pretended reader.

Decides how the daemon is started, asked and ended. Everything in it is what runs on a Raspberry Pi,
but for gpiozero's mock pins. What those are wired to is in `mechanics.py`.
"""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

import structlog

from console.demo.cable import Cable
from console.demo.card_reader import CardReader
from console.demo.daemon_status import NoStatus, ask_status
from console.demo.makerspace import Door, Tool
from console.demo.mechanics import Leaf, Saw
from console.demo.view import Felt, Reported
from console.demo.wires import Circuits, RelayWire
from console.errors import ConsoleError

STOP_SECONDS = 10
ANSWER_SECONDS = 1.0
LOG_LINES_SHOWN = 5

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "GPIOZERO_PIN_FACTORY": "mock",
}
"""All that the daemon gets, beside its wires: a P2K16_… of the console's is not meant for it."""

SETTINGS = {
    Leaf: "contact.held_seconds = 15\n",
    Saw: "start_seconds = 60\nidle_seconds = 60\n",
}
"""Shorter than the usual ones, for people who want to see what happens then."""

DIE_WITH_US = ("/usr/bin/setpriv", "--pdeathsig", "TERM")
"""Ends the daemon should the demo be killed outright. Source: prctl(2), PR_SET_PDEATHSIG."""

log = structlog.get_logger()


class ControllerFailed(ConsoleError):
    """The daemon ended by itself; the message is the end of what it said."""


class VirtualController:
    """A controller with one door or tool. Made stopped; needs the running loop."""

    def __init__(self, point: Door | Tool, cable: Cable, folder: Path) -> None:
        """`folder`: its data, settings, bundle, log and wires; made here."""
        self.point = point
        self.cable = cable
        self.reader = CardReader()
        self.reported: Reported | None = None
        self._folder = folder
        self._tied = DIE_WITH_US if Path(DIE_WITH_US[0]).exists() else ()
        self._process: asyncio.subprocess.Process | None = None
        folder.mkdir(mode=0o700)
        kind = Leaf if isinstance(point, Door) else Saw
        self._circuits = Circuits(folder, kind.PINS, closed=kind.CLOSED)
        self.moves: Leaf | Saw = kind(point.name.lower(), self._circuits)
        self._relay = RelayWire(folder, self.moves.relay_changed)

    @property
    def bundle(self) -> Path:
        """Where the daemon looks for its enrolment."""
        return self._folder / "bundle.json"

    @property
    def is_running(self) -> bool:
        """Whether there is a daemon."""
        return self._process is not None and self._process.returncode is None

    @property
    def is_ready(self) -> bool:
        """Whether the daemon was online and had its rights when it was asked last."""
        return self.reported is not None and self.reported.is_linked and self.reported.serial > 0

    def felt(self) -> Felt:
        """What of the door or tool stands how."""
        match self.moves:
            case Leaf() as leaf:
                return Felt(leaf="open" if leaf.is_open else "closed")
            case Saw() as saw:
                return Felt(
                    motor="running" if saw.runs else "off",
                    stop="pressed" if saw.is_stopped else "released",
                )

    async def start(self) -> None:
        """Starts the daemon; returns before it is ready."""
        settings = self._folder / "edge.toml"
        settings.write_text(self._settings())
        with (self._folder / "log").open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._tied,
                Path(sys.executable).with_name("p2k16-edge"),
                "run",
                "--config",
                settings,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={
                    **ENVIRONMENT,
                    "P2K16_MOCK_INPUTS": str(self._circuits.fifo),
                    "P2K16_GUARD_TRACE": str(self._relay.fifo),
                },
                # Ctrl-C is for the demo, which stops its controllers in order.
                start_new_session=True,
            )

    async def ask(self) -> None:
        """Asks the daemon how it is. `reported` is None afterwards when it doesn't answer."""
        if not self.is_running:
            self.reported = None
            return
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self.reported = await ask_status(self._folder / "data", self.point.key)
        except (NoStatus, TimeoutError):
            self.reported = None

    def check(self) -> None:
        """Raises: ControllerFailed when the daemon has ended by itself."""
        if self._process is not None and self._process.returncode is not None:
            lines = (self._folder / "log").read_text(errors="replace").splitlines()
            said = " / ".join(lines[-LOG_LINES_SHOWN:])
            raise ControllerFailed(
                f"{self.point.controller} ended with {self._process.returncode}: {said}"
            )

    async def stop(self) -> None:
        """Ends the daemon in an orderly way; kills one that takes longer than 10 s."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """As when the power fails."""
        await self._end(signal.SIGKILL)

    def kill_at_once(self) -> None:
        """The same without waiting for it."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        """Stops the daemon, unplugs reader and cable."""
        await self.stop()
        await self.cable.cut()
        self.reader.close()
        self._relay.close()
        self._circuits.close()

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        self.reported = None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            log.warning("controller.stop_delayed", controller=self.point.controller)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _settings(self) -> str:
        return (
            f'data_dir = "{self._folder / "data"}"\n'
            f'bundle = "{self.bundle}"\n\n'
            f"[[{'door' if isinstance(self.point, Door) else 'tool'}]]\n"
            f'key = "{self.point.key}"\n'
            'reader.driver = "rdm6300"\n'
            f'reader.port = "{self.reader.path}"\n'
            "relay.pin = 17\n"
            "light.green_pin = 22\n"
            "light.red_pin = 27\n"
            f"{self._circuits.settings()}{SETTINGS[type(self.moves)]}"
        )
