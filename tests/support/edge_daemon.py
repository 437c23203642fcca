"""The real daemon with its real guard, as processes of their own, on made-up readers."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.enrolment import KEPT_NAME
from sync.bundle import Bundle, encode_bundle
from tests.support.guard_trace import Change, read_trace
from tests.support.serial_line import SerialLine
from tests.support.waiting import eventually

EDGE = str(Path(sys.executable).with_name("p2k16-edge"))


@dataclass
class EdgeDaemon:
    """One controller with doors `front` and, if asked for, `back`."""

    folder: Path
    doors: tuple[str, ...] = ("front",)
    lights: bool = False
    extra: str = ""
    environ: dict[str, str] = field(default_factory=dict[str, str])
    lines: dict[str, SerialLine] = field(default_factory=dict[str, SerialLine])
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.lines = {door: SerialLine() for door in self.doors}
        self.data_dir = self.folder / "edge"
        self.config = self.folder / "edge.toml"
        self.bundle = self.folder / "bundle.json"
        self.trace = self.folder / "trace"
        self.log = self.folder / "edge.log"
        self.config.write_text(
            f'data_dir = "{self.data_dir}"\nbundle = "{self.bundle}"\n{self.extra}'
            + "".join(
                f'[[door]]\nkey = "{door}"\nreader.driver = "rdm6300"\n'
                f'reader.port = "{self.lines[door].path}"\nrelay.pin = {10 + number}\n'
                + (f"light.green_pin = {20 + 2 * number}\n" if self.lights else "")
                + (f"light.red_pin = {21 + 2 * number}\n" if self.lights else "")
                for number, door in enumerate(self.doors)
            )
        )

    def enrol(self, bundle: Bundle) -> None:
        self.bundle.write_bytes(encode_bundle(bundle))

    def keep(self, bundle: Bundle) -> None:
        """As if it had been taken over before, by a release that asked less."""
        self.data_dir.mkdir(exist_ok=True)
        (self.data_dir / KEPT_NAME).write_bytes(encode_bundle(bundle))

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "GPIOZERO_PIN_FACTORY": "mock",
            "P2K16_GUARD_TRACE": str(self.trace),
            **self.environ,
        }

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [EDGE, "run", "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,
            )

    async def start_and_wait(self, door: str = "front") -> None:
        """Returns when the door is locked and its reader is open."""
        self.start()
        await eventually(lambda: self.is_ready(door), seconds=60, every=0.05)

    def is_ready(self, door: str = "front") -> bool:
        point = self.status().get("points", {}).get(door, {})
        return point.get("state") == "locked" and point.get("reader") == "open"

    async def wait_until_fresh(self, door: str = "front") -> None:
        """Returns when it knows the time and how young its rights are: now a tap counts."""
        await eventually(lambda: self.is_fresh(door), seconds=60, every=0.05)

    def is_fresh(self, door: str = "front") -> bool:
        status = self.status()
        point = status.get("points", {}).get(door, {})
        return status.get("clock", {}).get("trusted") and point.get("staleness") == "fresh"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of the program's other commands."""
        return subprocess.run(
            [EDGE, *arguments, "--config", str(self.config)],
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
        )

    def status(self) -> dict[str, Any]:
        """{} without a daemon."""
        asked = self.run("status", "--json")
        return json.loads(asked.stdout) if asked.returncode == 0 else {}

    def age_on_disk_ms(self) -> int:
        """How old the rights would be after a power cut, but for what a start adds."""
        store = self.data_dir / "edge.sqlite"
        with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True, timeout=5)) as found:
            return found.execute("SELECT age_ms FROM state").fetchone()[0]

    def point(self, door: str = "front") -> dict[str, Any]:
        return self.status().get("points", {}).get(door, {})

    def tap(self, card_hex: str, door: str = "front") -> None:
        self.lines[door].present(card_hex)

    def relay(self, door: str = "front") -> list[str]:
        return [change.relay for change in self.changes(door)]

    def changes(self, door: str = "front") -> list[Change]:
        return [change for change in read_trace(self.trace) if change.point == door]

    def log_lines(self, event: str, *, this_boot: bool = False) -> list[dict[str, Any]]:
        """Lines of one event, of all starts or of the last one."""
        text = self.log.read_text() if self.log.exists() else ""
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        if this_boot:
            starts = [n for n, line in enumerate(lines) if line["event"] == "daemon.started"]
            lines = lines[max(starts, default=0) :]
        return [line for line in lines if line["event"] == event]

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def freeze(self) -> None:
        """Stands still when this returns: a signal alone is only on its way then."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def stop(self, number: signal.Signals = signal.SIGTERM, *, seconds: float = 30) -> int:
        """Sends a signal and waits; returns the exit status."""
        process, self.process = self.process, None
        assert process is not None
        process.send_signal(number)
        return process.wait(seconds)

    def close(self) -> None:
        """Leaves nothing running."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for line in self.lines.values():
            line.close()
