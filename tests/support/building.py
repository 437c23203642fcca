"""A whole makerspace of real processes: console, broker, controllers with readers and relays.

Built only with the commands and settings that a person would use.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import psycopg

from tests.support.brokers import Mosquitto, free_port
from tests.support.guard_trace import read_trace
from tests.support.serial_line import SerialLine
from tests.support.waiting import eventually_sync

BIN = Path(sys.executable).parent
PASSWORD = "correct horse battery"


@dataclass
class Program:
    """One of our programs as a process of its own; its log is kept for a failing test."""

    arguments: list[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )

    def stop(self, number: signal.Signals = signal.SIGTERM, *, seconds: float = 30) -> int:
        """Sends a signal and waits; returns the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(seconds)
        self.process = None
        return status

    def kill(self) -> None:
        """kill -9 of the process itself; its children are left to notice."""
        self.stop(signal.SIGKILL)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def end(self) -> None:
        """Leaves nothing behind, whatever the test did."""
        if self.process is None:
            return
        process = self.process
        try:
            self.stop(seconds=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(
                f"{self.arguments} doesn't stop:\n{self.log.read_text()[-3000:]}"
            ) from None


class Controller(Program):
    """A controller with one door, its reader on a pseudo-terminal."""

    def __init__(self, name: str, door: str, folder: Path) -> None:
        self.name = name
        self.door = door
        self.folder = folder
        self.line = SerialLine()
        self.trace = folder / "guard-trace.jsonl"
        self.bundle = folder / "bundle.json"
        self.config = folder / "edge.toml"
        super().__init__(
            [str(BIN / "p2k16-edge"), "run", "--config", str(self.config)],
            folder / "edge.log",
            {"GPIOZERO_PIN_FACTORY": "mock", "P2K16_GUARD_TRACE": str(self.trace)},
        )

    def configure(self) -> None:
        """Writes the settings file."""
        self.config.write_text(
            f'data_dir = "{self.folder / "edge"}"\n'
            f'bundle = "{self.bundle}"\n'
            f"[[door]]\n"
            f'key = "{self.door}"\n'
            f'reader.driver = "rdm6300"\n'
            f'reader.port = "{self.line.path}"\n'
            f"relay.pin = 17\n"
            f"light.green_pin = 22\n"
            f"light.red_pin = 27\n"
        )

    def tap(self, card: str) -> None:
        """Holds a card to the reader for an instant. `card`: ten hex digits."""
        self.line.present(card)

    def status(self) -> dict[str, Any]:
        """What `p2k16-edge status --json` prints; {} without a daemon."""
        asked = subprocess.run(
            [BIN / "p2k16-edge", "status", "--json", "--config", self.config],
            capture_output=True,
            check=False,
        )
        return json.loads(asked.stdout) if asked.returncode == 0 else {}

    def relay_changes(self) -> list[str]:
        """Every `on` and `off` of the relay so far, as the guard wrote them down."""
        return [change.relay for change in read_trace(self.trace) if change.point == self.door]

    def has_opened(self, times: int = 1) -> bool:
        """Whether the relay went on at least so often."""
        return self.relay_changes().count("on") >= times

    def is_ready(self) -> bool:
        """Whether the door is locked and would answer a tap."""
        point = self.status().get("points", {}).get(self.door, {})
        return point.get("state") == "locked" and point.get("reader") == "open"

    def head(self) -> int:
        """The number of the last event in the journal."""
        return int(self.status().get("journal", {}).get("head", 0))

    def wait_until_applied(self, serial: int = 1) -> None:
        """Waits until the rights of at least this serial are in force."""
        eventually_sync(
            lambda: self.status().get("applied", {}).get("serial", 0) >= serial,
            seconds=60,
            every=0.05,
        )

    def wait_until_it_knows_the_time(self) -> None:
        """Waits until a beacon was heard: events before it are dated by their arrival."""
        eventually_sync(lambda: self.status()["clock"]["trusted"], seconds=30, every=0.05)


def is_healthy(url: str) -> bool:
    """Whether the console there has its database and its broker."""
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:
            return answer.status == 200
    except (HTTPError, URLError, OSError):
        return False


class Console(Program):
    """The console, served on a free port."""

    def __init__(self, folder: Path, database_url: str | None, mqtt_url: str | None) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "console.toml"
        self.database_url = database_url
        self.broker_port = free_port()
        self.config.write_text(
            f'data_dir = "{folder / "console"}"\n'
            f'[http]\nlisten = "127.0.0.1:{self.port}"\n'
            + (f'[database]\nurl = "{database_url}"\n' if database_url else "")
            + "[mqtt]\n"
            + (f'url = "{mqtt_url}"\n' if mqtt_url else "")
            + f'listen = "127.0.0.1:{self.broker_port}"\n'
            + "[login]\nfailures_per_minute = 1000\n"
        )
        super().__init__(
            [str(BIN / "p2k16-console"), "serve", "--config", str(self.config)],
            folder / "console.log",
        )

    def run(self, *arguments: str, standard_input: str = "") -> str:
        """Runs one of the console's commands; returns what it printed."""
        done = subprocess.run(
            [str(BIN / "p2k16-console"), *arguments, "--config", str(self.config)],
            input=standard_input,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def is_healthy(self) -> bool:
        """Whether database and broker answer."""
        return is_healthy(self.url)

    def start(self) -> None:
        """Starts it and waits until it is healthy."""
        super().start()
        eventually_sync(self.is_healthy, seconds=30, every=0.05)

    def add_account(self, username: str, *circles: str) -> None:
        """An account with the password `PASSWORD`."""
        self.run(
            "accounts",
            "add",
            username,
            "--email",
            f"{username}@example.org",
            "--name",
            username.title(),
            *(word for circle in circles for word in ("--circle", circle)),
            standard_input=f"{PASSWORD}\n{PASSWORD}\n",
        )

    def add_door(self, controller: Controller, *, open_seconds: int = 1) -> None:
        """A door for circle `door`, and the controller's bundle."""
        self.run("controllers", "enrol", controller.name, "--out", str(controller.bundle))
        self.run(
            *("doors", "add", controller.door, "--name", controller.door.title()),
            *("--circle", "door", "--controller", controller.name),
            *("--open-seconds", str(open_seconds)),
        )
        controller.configure()


@dataclass
class Building:
    """Console, database, one controller; Kari pays, is in circle door, and has a card."""

    console: Console
    controller: Controller
    database_url: str

    KARIS_CARD = "0102345678"
    UNKNOWN_CARD = "0A00B26E7B"

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """One statement, committed, as psql would; returns the rows, if any."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def account(self, username: str) -> int:
        """The account's id."""
        return int(self.sql("SELECT id FROM account WHERE username = %s", username)[0][0])

    def pay(self, username: str, *, until: str = "30 days") -> None:
        """A payment from yesterday until then."""
        self.sql(
            "INSERT INTO stripe_payment (created_at, created_by, updated_at, updated_by,"
            " stripe_id, start_date, end_date, amount, payment_date)"
            " VALUES (now(), %s, now(), %s, 'in_1', now() - interval '1 day',"
            " now() + %s::interval, 500, now())",
            *(self.account(username), self.account(username), until),
        )

    def openings(self) -> list[tuple[Any, ...]]:
        """The legacy event rows of door openings: door key, account, time; oldest first."""
        return self.sql(
            "SELECT text1, created_by, created_at FROM event"
            " WHERE domain = 'door' AND name = 'open' ORDER BY id"
        )

    def accesses(self) -> list[str]:
        """The kinds of the access events of taps at the console, oldest first."""
        rows = self.sql("SELECT kind FROM access.event WHERE kind LIKE 'access_%%' ORDER BY id")
        return [str(row[0]) for row in rows]

    def newest_serial(self) -> int:
        """The newest snapshot's serial."""
        return int(self.sql("SELECT coalesce(max(serial), 0) FROM access.snapshot")[0][0])

    @contextmanager
    def new_rights(self) -> Generator[None]:
        """Ends once rights are in force that were not there before it began."""
        before = self.newest_serial()
        yield
        self.controller.wait_until_applied(before + 1)


@contextmanager
def built(
    folder: Path,
    database_url: str,
    mqtt_url: str | None = None,
    mosquitto: Mosquitto | None = None,
) -> Generator[Building]:
    """Everything runs; the controller has its rights and the time. Leaves nothing running.

    `mosquitto`: the broker of `mqtt_url`; its files come from `p2k16-console broker-config`.
    """
    console = Console(folder, database_url, mqtt_url)
    controller = Controller("front-pi", "front", folder)
    building = Building(console, controller, database_url)
    try:
        console.run("migrate")
        console.add_account("boss", "admin")
        console.add_account("kari", "door")
        console.run(
            "cards", "assign", "kari", f"em4100:{building.KARIS_CARD}", "--label", "blue fob"
        )
        building.pay("kari")
        console.add_door(controller)
        if mosquitto is not None:
            console.run("broker-config", "--out", str(mosquitto.passwords.parent))
            mosquitto.start_now()
        console.start()
        controller.start()
        controller.wait_until_applied()
        controller.wait_until_it_knows_the_time()
        eventually_sync(controller.is_ready, seconds=60, every=0.05)
        yield building
    except BaseException:
        for program in (console, controller):
            print(f"--- {program.log}\n{program.log.read_text()[-4000:]}")
        raise
    finally:
        controller.end()
        console.end()
        if mosquitto is not None:
            mosquitto.stop_now()
        controller.line.close()
