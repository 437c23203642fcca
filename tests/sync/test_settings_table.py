"""Whoever wrote the settings hears of all mistakes at once."""

import os
from pathlib import Path

import pytest

from console.settings import ConsoleSettings, load_settings, read_settings
from sync.settings_table import SettingsError
from sync.settings_values import Address


def settings(document: dict[str, object], **environ: str) -> ConsoleSettings:
    return read_settings(document, environ, source="console.toml")


def mistakes(document: dict[str, object], **environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings(document, **environ)
    return caught.value.mistakes


def test_an_empty_file_has_sensible_defaults():
    defaults = settings({})
    assert defaults.http.listen == Address("127.0.0.1", 8016)
    assert defaults.mqtt.prefix == "p2k16"
    assert defaults.database.url is None
    assert defaults.roles.admin_circle == "admin"


def test_every_mistake_is_told_with_its_key_and_what_was_expected():
    told = mistakes(
        {
            "data_dir": 5,
            "http": {"listen": "8016", "public_url": "door.example.org"},
            "mqtt": {"listen": "127.0.0.1:65536", "tls_key": "/key.pem", "prefx": "x"},
            "login": {"failures_per_minute": 0},
            "roles": [],
        }
    )
    assert {line.partition(":")[0] for line in told} == {
        "roles",
        "data_dir",
        "http.listen",
        "http.public_url",
        "mqtt.listen",
        "mqtt.tls_certificate",
        "mqtt.prefx",
        "login.failures_per_minute",
    }
    assert all("expected" in line or "no such setting" in line or "both" in line for line in told)


def test_a_wrong_url_is_not_repeated_since_it_may_hold_a_password():
    told = mistakes({"mqtt": {"url": "mqqt://console:secret@broker"}})
    assert "secret" not in "\n".join(told)


def test_the_environment_overrides_the_file():
    document: dict[str, object] = {"mqtt": {"prefix": "file"}, "login": {"failures_per_minute": 3}}
    told = settings(
        document,
        P2K16_MQTT_PREFIX="environment",
        P2K16_LOGIN_FAILURES_PER_MINUTE="7",
        P2K16_DATA_DIR="/data",
    )
    assert told.mqtt.prefix == "environment"
    assert told.login.failures_per_minute == 7
    assert told.data_dir == Path("/data")


def test_a_file_that_is_absent_or_no_toml_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"absent\.toml"):
        load_settings(tmp_path / "absent.toml", {})
    (tmp_path / "broken.toml").write_text("[http\n")
    with pytest.raises(SettingsError, match=r"broken\.toml: not TOML"):
        load_settings(tmp_path / "broken.toml", {})


@pytest.mark.parametrize(
    "content",
    [b"a = " + b"1" * 5_000, b"a = " + b"[" * 3_000 + b"]" * 3_000, b"# \xe5\n", b"#" * 2_000_000],
    ids=["5,000 digits", "3,000 deep", "no UTF-8", "too long"],
)
def test_the_console_too_reads_what_no_person_writes_as_a_mistake(content: bytes, tmp_path: Path):
    file = tmp_path / "console.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    [mistake] = caught.value.mistakes
    assert mistake.startswith("can't be read: it ")


@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_what_is_no_file_holds_no_settings_of_the_console(kind: str, tmp_path: Path):
    path = tmp_path / "console.toml"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises(SettingsError, match=r"can't be read: it is no regular file"):
        load_settings(path, {})
