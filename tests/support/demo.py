"""A running demo, started by the command that a person types, and looked at from outside."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from tests.support.building import free_port
from tests.support.waiting import eventually_sync

COMMAND = [str(Path(sys.executable).parent / "p2k16-console"), "demo"]
READY = "Ctrl-C stops everything"
PASSWORD = "makerspace"


@dataclass
class RunningDemo:
    """The process and its pages. `identity`: user, group, extra_groups of another user."""

    log: Path
    command: Sequence[str] = field(default_factory=lambda: COMMAND)
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    identity: Mapping[str, object] = field(default_factory=dict[str, object])
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    browser: OpenerDirector = field(
        default_factory=lambda: build_opener(HTTPCookieProcessor(CookieJar()))
    )

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={**self.environment, "P2K16_HTTP_LISTEN": f"127.0.0.1:{self.port}"},
                start_new_session=True,
                **self.identity,  # pyright: ignore[reportArgumentType, reportCallIssue]
            )

    def said(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    def wait_until_ready(self, *, seconds: float = 90) -> None:
        """Until it has invited people."""

        def is_ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.said()
            return READY in self.said()

        eventually_sync(is_ready, seconds=seconds, every=0.05)

    def data_folder(self) -> Path:
        """Where it keeps everything."""
        line = next(line for line in self.said().splitlines() if "Making a makerspace" in line)
        return Path(line.removeprefix("Making a makerspace in ").removesuffix(" …"))

    def press(self, number: signal.Signals = signal.SIGINT) -> None:
        """A signal for the whole group, as a terminal sends it."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def wait(self, *, seconds: float = 60) -> int:
        """The exit status."""
        assert self.process is not None
        return self.process.wait(seconds)

    def end(self) -> None:
        """Leaves nothing behind, whatever the test did."""
        if self.process is not None and self.process.poll() is None:
            self.press()
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.press(signal.SIGKILL)
                self.wait()

    def address(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str) -> str:
        """A page."""
        with self.browser.open(self.address(path), timeout=10) as answer:
            return answer.read().decode()

    def status(self, path: str) -> int:
        """The status of an answer."""
        try:
            with self.browser.open(self.address(path), timeout=10) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code

    def post(self, path: str, **fields: str) -> str:
        """Sends a form; gives the page that it leads to."""
        request = Request(self.address(path), data=urlencode(fields).encode())
        with self.browser.open(request, timeout=10) as answer:
            return answer.read().decode()

    def log_in(self, username: str) -> None:
        self.post("/login", username=username, password=PASSWORD)

    def tap(self, card: str, door: str) -> None:
        """Holds a card to a reader, on the demo's page."""
        self.post("/demo/taps", card=card, door=door)

    def shows(self, mark: str, *, seconds: float = 20) -> None:
        """Waits until the floor plan says so: `front-relay="on"`."""
        eventually_sync(lambda: f"data-{mark}" in self.get("/demo"), seconds=seconds, every=0.05)


def processes_of(folder: Path) -> list[str]:
    """Command lines of all processes that work in the folder or were told its name."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = str((process / "cwd").readlink())
        except OSError:
            continue
        if str(folder) in words or place.startswith(str(folder)):
            found.append(words)
    return found
