"""The embedded broker starts and stops without leaving anything behind."""

import asyncio
import logging
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from console.errors import ConsoleError
from console.link.embedded_broker import EmbeddedBroker
from console.settings import MqttSettings
from sync.settings_table import Address
from tests.support.broker_site import FRONT, BrokerSite, our_site
from tests.support.brokers import PASSWORD, enrolled, free_port, mqtt_settings, require_program
from tests.support.raw_mqtt import RawMqtt


async def test_it_stops_with_clients_connected_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    broker = EmbeddedBroker(mqtt_settings(), enrolled)
    await broker.start()
    broker_site = our_site(broker)
    front, silent = await broker_site.controller("front"), await broker_site.stranger()
    await front.subscribe(f"{FRONT}/down/#")
    await broker.stop()
    assert not broker.is_running
    assert await front.wait_closed()
    assert await silent.wait_closed()
    assert asyncio.all_tasks() == before
    with pytest.raises(OSError):
        await RawMqtt.open(broker.port)


async def test_it_starts_again_on_the_same_ports() -> None:
    broker = EmbeddedBroker(mqtt_settings(), enrolled)
    await broker.start()
    await broker.start()
    port, url = broker.port, broker.url
    await broker.stop()
    await broker.stop()
    await broker.start()
    assert (broker.port, broker.url) == (port, url)
    assert await (await our_site(broker).controller("front")).is_alive()
    await broker.stop()


async def test_after_a_restart_nothing_is_retained_or_subscribed(
    embedded_broker: EmbeddedBroker,
) -> None:
    console = await our_site(embedded_broker).console()
    await console.publish(f"{FRONT}/down/snapshot", b"old", retain=True)
    await embedded_broker.stop()
    await embedded_broker.start()
    front = await our_site(embedded_broker).controller("front")
    await front.subscribe(f"{FRONT}/down/#")
    await front.ping()
    assert front.heard == []


async def test_a_port_that_is_taken_is_named_with_its_setting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = int(other.getsockname()[1])
        before = asyncio.all_tasks()
        with pytest.raises(ConsoleError, match=rf"127\.0\.0\.1:{port}.*\[mqtt\] listen"):
            await EmbeddedBroker(mqtt_settings(port=port), enrolled).start()
        assert asyncio.all_tasks() == before
    # The message is all there is to say: amqtt's traceback would only frighten.
    assert caplog.records == []


async def test_a_port_from_the_settings_is_used() -> None:
    port = free_port()
    async with EmbeddedBroker(mqtt_settings(port=port), enrolled) as broker:
        assert broker.port == port


async def test_it_listens_on_loopback_in_ipv6_too() -> None:
    settings = MqttSettings(
        url=None, listen=Address("[::1]", 0), tls_certificate=None, tls_key=None, prefix="p2k16"
    )
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("NOT TESTED: this machine has no IPv6")
    async with EmbeddedBroker(settings, enrolled) as broker:
        _, writer = await asyncio.open_connection("::1", broker.port)
        writer.close()


async def test_listening_beyond_this_machine_without_tls_is_warned_of() -> None:
    settings = MqttSettings(
        url=None,
        listen=Address("0.0.0.0", 0),  # noqa: S104
        tls_certificate=None,
        tls_key=None,
        prefix="p2k16",
    )
    with capture_logs() as logs:
        async with EmbeddedBroker(settings, enrolled):
            pass
    assert "broker.unencrypted" in {line["event"] for line in logs}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [require_program("openssl"), "req", "-x509", "-nodes", "-days", "1"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


async def test_with_a_certificate_it_speaks_tls_to_controllers_and_to_nobody_without(
    certificate: tuple[Path, Path],
) -> None:
    trust = ssl.create_default_context(cafile=certificate[0])
    async with EmbeddedBroker(mqtt_settings(tls=certificate), enrolled) as broker:
        front = await RawMqtt.open(broker.port, tls=trust)
        assert await front.connect(client_id="front", user="front", password=PASSWORD) == 0
        await front.subscribe(f"{FRONT}/down/#")
        console = await our_site(broker).console()
        await console.publish(f"{FRONT}/down/beacon", b"through TLS")
        await front.ping()
        assert [m.payload for m in front.heard] == [b"through TLS"]
        plain = await RawMqtt.open(broker.port)
        plain.send_connect(client_id="back", user="back", password=PASSWORD)
        assert await plain.wait_closed()


async def test_a_certificate_that_cant_be_used_is_named_with_its_setting(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("not a certificate")
    for files in ((broken, broken), (tmp_path / "missing.pem", broken)):
        with pytest.raises(ConsoleError, match=r"\[mqtt\] tls_certificate"):
            await EmbeddedBroker(mqtt_settings(tls=files), enrolled).start()


async def test_misbehaving_clients_fill_no_log(
    broker_site: BrokerSite, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    with capture_logs() as logs:
        for _ in range(50):
            stranger = await broker_site.stranger()
            assert await stranger.connect(client_id="front", user="front", password="wrong") != 0
        thief = await broker_site.stranger()
        await thief.connect(client_id="front", user="Kari Nordmann", password="secret-word")
    assert [line["event"] for line in logs] == ["client.refused"]
    assert logs[0]["client"] == "front"
    assert [record for record in caplog.records if record.name.startswith("amqtt")] == []
    written = capfd.readouterr()
    assert "secret-word" not in written.out + written.err
