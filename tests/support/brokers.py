"""Brokers for tests: a real Mosquitto, our embedded one, and amqtt as it comes."""

# pyright: reportMissingTypeStubs=false
# amqtt is annotated but doesn't say so (no py.typed).

import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig

from console.link.amqtt_plugins import Gate, plugin_settings
from console.link.broker_access import AccessRules
from console.link.broker_password import hash_password
from console.link.embedded_broker import EmbeddedBroker
from console.link.mosquitto import write_broker_config
from console.settings import MqttSettings
from sync.ids import ControllerId
from sync.settings_values import Address
from tests.support.waiting import eventually_sync

PREFIX = "p2k16"
PASSWORD = "the-same-for-all-controllers-of-a-test"
PASSWORD_HASH = hash_password(PASSWORD, b"twelve bytes")
CONTROLLERS = (ControllerId("front"), ControllerId("back"))


PORTS = range(10_000, 30_000)
"""Below those that Linux gives to connections: a port that was free stays so until it is used."""


def free_port() -> int:
    """A port that nobody listens at; drawn, so that test runs side by side don't meet."""
    while True:
        port = secrets.choice(PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def require_program(name: str, *, package: str | None = None) -> str:
    """The path of a system program. Without it the test is skipped, but fails where CI=true.

    `package`: what Debian has it in; None: one of the same name.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is not None:
        return found
    message = f"{name} isn't installed: apt-get install {package or name}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(f"NOT TESTED: {message}")


class RestartableBroker(Protocol):
    """What tests of both brokers need."""

    @property
    def port(self) -> int: ...
    @property
    def url(self) -> str: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


def end_mosquitto(process: subprocess.Popen[bytes]) -> None:
    """Asks it to end until it does: one that has just begun forgets a first SIGTERM.

    Between its line "running" and its loop, Mosquitto 2.0 sets `run` anew, over what SIGTERM did.
    """

    def has_ended() -> bool:
        process.terminate()
        return process.poll() is not None

    eventually_sync(has_ended)


@dataclass
class Mosquitto:
    """A Mosquitto of one's own, on loopback, stopped and started at will."""

    program: str
    folder: Path
    passwords: Path
    acl: Path
    port: int = field(default_factory=free_port)
    console_user: str = "console"
    extra: str = ""
    as_root: bool = field(default_factory=lambda: os.geteuid() == 0)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://{self.console_user}:{PASSWORD}@127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start_now(self) -> None:
        configuration = self.folder / "mosquitto.conf"
        # Started as root it would become the user `mosquitto`, who can't read pytest's folders.
        user = "user root\n" if self.as_root else ""
        configuration.write_text(
            f"{user}listener {self.port} 127.0.0.1\nallow_anonymous false\n"
            f"password_file {self.passwords}\nacl_file {self.acl}\n{self.extra}"
        )
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.program, "-c", str(configuration)], stdout=log, stderr=log
            )
        eventually_sync(self._answers)

    def stop_now(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            end_mosquitto(process)

    async def start(self) -> None:
        self.start_now()

    async def stop(self) -> None:
        self.stop_now()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Mosquitto ended:\n{self.log}"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


StartMosquitto = Callable[[Path, Path], Mosquitto]


@pytest.fixture
def start_mosquitto(tmp_path: Path) -> Iterator[StartMosquitto]:
    """Starts a Mosquitto with the given password and ACL files; more than one if need be."""
    program = require_program("mosquitto")
    running: list[Mosquitto] = []

    def start(passwords: Path, acl: Path) -> Mosquitto:
        folder = tmp_path / f"mosquitto-{len(running)}"
        folder.mkdir()
        broker = Mosquitto(program, folder, passwords, acl)
        running.append(broker)
        broker.start_now()
        return broker

    yield start
    for broker in running:
        broker.stop_now()


@pytest.fixture
def mosquitto(start_mosquitto: StartMosquitto, tmp_path: Path) -> Mosquitto:
    """A running Mosquitto with our files: the console's login, and `front` and `back`."""
    files = write_broker_config(
        tmp_path / "broker-config",
        prefix=PREFIX,
        url=f"mqtt://console:{PASSWORD}@127.0.0.1",
        controllers=dict.fromkeys(CONTROLLERS, PASSWORD_HASH),
    )
    return start_mosquitto(files.passwords, files.acl)


async def enrolled(name: str) -> str | None:
    """A password lookup that knows `front`, `back` and `c0` to `c99`."""
    number = name.removeprefix("c")
    known = name in CONTROLLERS or (number.isdecimal() and int(number) < 100)
    return PASSWORD_HASH if known else None


def mqtt_settings(*, port: int = 0, tls: tuple[Path, Path] | None = None) -> MqttSettings:
    certificate, key = tls or (None, None)
    return MqttSettings(
        url=None,
        listen=Address("127.0.0.1", port),
        tls_certificate=certificate,
        tls_key=key,
        prefix=PREFIX,
    )


@pytest.fixture
async def embedded_broker() -> AsyncIterator[EmbeddedBroker]:
    """Our embedded broker, running, on a free port; it knows the names of `enrolled`."""
    async with EmbeddedBroker(mqtt_settings(), enrolled) as broker:
        yield broker


class AmqttAsItComes(Broker):
    """amqtt's own broker, unchanged, with our plugins."""

    @property
    def port(self) -> int:
        return int(self._servers["default"].instance.sockets[0].getsockname()[1])  # pyright: ignore


@asynccontextmanager
async def amqtt_as_it_comes(console_password: str) -> AsyncGenerator[AmqttAsItComes]:
    gate = Gate(AccessRules(PREFIX), console_password, enrolled)
    broker = AmqttAsItComes(
        BrokerConfig(
            listeners={"default": ListenerConfig(bind="127.0.0.1:0")}, plugins=plugin_settings(gate)
        )
    )
    await broker.start()
    try:
        yield broker
    finally:
        await broker.shutdown()
