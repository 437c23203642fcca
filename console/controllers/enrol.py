"""Makes a Raspberry Pi a controller: gives it keys, and writes them into one file.

The private key and the broker password exist in that file only. It is written before the commit and
removed when the commit fails, so that there is never a controller whose keys nobody has.
"""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from console.controllers import queries
from console.database import Connection, Database, at_prompt
from console.errors import ConsoleError
from console.link.broker_password import SALT_BYTES, hash_password
from console.link.broker_url import BrokerUrl, parse_broker_url
from console.settings import MqttSettings
from console.site_keys import SiteIdentity, SiteKeys
from sync.bundle import Bundle, encode_bundle
from sync.credential import CONTROLLER_KEY_BYTES
from sync.ids import ControllerId
from sync.signing import SEED_BYTES, public_key

BROKER_PASSWORD_BYTES = 24
EVERYWHERE = {"0.0.0.0", "[::]"}  # noqa: S104 -- refused here, not listened on


class EnrolmentRefused(ConsoleError):
    """Nothing was changed, and no file was written."""


class Enrolled(Struct, frozen=True):
    """What the bundle says of the broker."""

    broker_url: str
    is_encrypted: bool
    is_loopback: bool


def broker_url_for_bundle(given: str | None, settings: MqttSettings) -> BrokerUrl:
    """Where the controller is to find the broker.

    `given` (--broker), else `[mqtt] url`, both without credentials, else the embedded broker's own
    address. Raises: BrokerUrlError, EnrolmentRefused when that address is none to connect to.
    """
    if given is not None or settings.url is not None:
        return parse_broker_url(given or settings.url or "")
    listen = settings.listen
    if listen.host in EVERYWHERE or listen.port == 0:
        raise EnrolmentRefused(
            f"[mqtt] listen is {listen}, which is no address to connect to: say by which one the "
            "controller reaches this machine, with --broker mqtt://HOST:PORT (mqtts:// with TLS)"
        )
    host = listen.host.strip("[]")
    return BrokerUrl(host=host, port=listen.port, tls=settings.tls_certificate is not None)


async def enrol(
    database: Database,
    keys: SiteKeys,
    *,
    controller: ControllerId,
    broker: BrokerUrl,
    prefix: str,
    out: Path,
    replace: bool = False,
) -> Enrolled:
    """Enrols a controller and writes its bundle (0600) to the new file `out`.

    Raises: EnrolmentRefused when it is enrolled already (unless `replace`), or when the file can't
    be written or exists.
    """
    bundle = new_bundle(keys.identity, controller=controller, broker=broker, prefix=prefix)
    with _new_file(out) as file:
        async with database.writing(by=at_prompt("controllers enrol")) as conn:
            if not await enrol_by(conn, bundle, replace=replace):
                raise EnrolmentRefused(
                    f"the controller {controller!r} is enrolled already; --replace gives it new "
                    "keys, and whoever has the old ones is locked out"
                )
            _write(file, encode_bundle(bundle))
    return told_of(broker)


def new_bundle(
    identity: SiteIdentity, *, controller: ControllerId, broker: BrokerUrl, prefix: str
) -> Bundle:
    """Keys and a password that nobody has had before."""
    return Bundle(
        controller=controller,
        private_key=secrets.token_bytes(SEED_BYTES),
        entry_key=secrets.token_bytes(CONTROLLER_KEY_BYTES),
        site_salt=identity.site_salt,
        root_public_key=identity.root_public_key,
        sealing_public_key=identity.sealing_public_key,
        broker_url=broker.without_credentials(),
        broker_username=controller,
        broker_password=secrets.token_urlsafe(BROKER_PASSWORD_BYTES),
        prefix=prefix,
    )


async def enrol_by(conn: Connection, bundle: Bundle, *, replace: bool) -> bool:
    """From the commit on only the device with this bundle is this controller.

    Makes the controller where there is none, and forgets what another device has reported. False:
    it is enrolled already, and `replace` doesn't say that it is to have new keys.
    """
    await queries.add_controller(conn, controller=bundle.controller)
    is_done = await queries.enrol(
        conn,
        controller=bundle.controller,
        public_key=public_key(bundle.private_key),
        entry_key=bundle.entry_key,
        broker_password_hash=hash_password(bundle.broker_password, secrets.token_bytes(SALT_BYTES)),
        replace=replace,
    )
    if is_done:
        await queries.forget_report(conn, controller=bundle.controller)
    return is_done


def told_of(broker: BrokerUrl) -> Enrolled:
    """What is worth knowing of the broker's address."""
    return Enrolled(broker.without_credentials(), broker.tls, _is_loopback(broker))


def refuse_name(controller: ControllerId, settings: MqttSettings) -> None:
    """Raises: EnrolmentRefused when the console itself has this name at the broker."""
    if settings.url is not None and parse_broker_url(settings.url).user == controller:
        raise EnrolmentRefused(
            f"[mqtt] url logs in as {controller!r}, so no controller can have that name: "
            "choose another name, or another user for the console"
        )


@contextmanager
def _new_file(path: Path) -> Generator[BinaryIO]:
    """A new file (0600), which is gone again after an exception. Raises: EnrolmentRefused."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise EnrolmentRefused(
            f"{path} is there already, and may be the only copy of a bundle: name another file"
        ) from error
    except OSError as error:
        raise EnrolmentRefused(f"can't write {path}: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except OSError as error:
        path.unlink(missing_ok=True)
        raise EnrolmentRefused(f"can't write {path}: {error.strerror}") from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _write(file: BinaryIO, content: bytes) -> None:
    os.fchmod(file.fileno(), 0o600)
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def _is_loopback(broker: BrokerUrl) -> bool:
    return broker.host in {"localhost", "::1"} or broker.host.startswith("127.")
