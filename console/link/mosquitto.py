"""Password and ACL files for Mosquitto 2, and an example of its configuration.

Decides what the files say; which controllers there are and what their password hashes are is the
caller's knowledge. Mosquitto reads the files at its start and on SIGHUP.

The ACL has one `user` section with spelled-out topics for each client, no `pattern … %u` lines. A
pattern holds for everybody who ever gets into the password file, so that a login made for a
thermometer would have an `up` branch of its own and the console's login would be a controller
too. With sections, a name that stands in one file and not in the other may do nothing.
"""

import grp
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from console.errors import ConsoleError
from console.link.broker_access import AccessRules, AController, Client, TheConsole
from console.link.broker_password import SALT_BYTES, hash_password
from console.link.broker_url import parse_broker_url
from sync.ids import NAME, ControllerId

PASSWORD_FILE = "passwords"  # noqa: S105 -- a file's name
ACL_FILE = "acl"
EXAMPLE_FILE = "mosquitto.conf.example"
FILE_MODE, FOLDER_MODE = 0o640, 0o750
"""The owner writes, the group reads: Mosquitto comes in through the group, nobody else does."""

MOSQUITTO_GROUP = "mosquitto"
"""Of the user that Mosquitto becomes when root starts it. Source: mosquitto.conf(5), `user`."""

_USER = re.compile(r"[^\s:#+/\x00-\x1f\x7f]{1,64}")
_HASH = re.compile(r"\$7\$[0-9]+\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+")


class BrokerConfigError(ConsoleError):
    """The files for Mosquitto can't be made; the message says what is missing."""


class BrokerFiles(Struct, frozen=True):
    """Where the files went, and how many controllers they let in."""

    passwords: Path
    acl: Path
    example: Path
    controllers: int


def password_file(hashes: Mapping[str, str]) -> str:
    """One `user:hash` line each. Raises: BrokerConfigError for a name or hash that can't stand."""
    for user, stored in hashes.items():
        if not _USER.fullmatch(user):
            raise BrokerConfigError(
                "a broker's user name has 1 to 64 characters without space, colon, #, + and /"
            )
        if not _HASH.fullmatch(stored):
            raise BrokerConfigError(f"{user} has no password hash that Mosquitto can read")
    return "".join(f"{user}:{stored}\n" for user, stored in sorted(hashes.items()))


def acl_file(
    prefix: str,
    console_user: str,
    controllers: frozenset[ControllerId],
    *,
    old_prefixes: tuple[str, ...] = (),
) -> str:
    """Who may read and write what, one section for each user. Everything else is forbidden.

    `old_prefixes`: as in `AccessRules`. Raises: BrokerConfigError for one that can't stand.
    """
    if not "".join(old_prefixes).isprintable():
        raise BrokerConfigError("[mqtt] legacy_…_prefix holds a character that can't stand here")
    rules = AccessRules(prefix, old_prefixes)
    sections = [
        "# Written by `p2k16-console broker-config`; run it again instead of editing this.\n",
        _section(rules, console_user, TheConsole()),
    ]
    sections += [_section(rules, name, AController(name)) for name in sorted(controllers)]
    return "\n".join(sections)


def _section(rules: AccessRules, user: str, client: Client) -> str:
    lines = [f"user {user}"]
    lines += [f"topic write {name}" for name in rules.publishes(client)]
    lines += [f"topic read {name}" for name in rules.receives(client)]
    return "\n".join(lines) + "\n"


def example_configuration(folder: Path) -> str:
    """A Mosquitto configuration that uses the files in `folder`, with the reason for each line."""
    return f"""\
# An example for Mosquitto 2, to be copied to /etc/mosquitto/conf.d/p2k16.conf and adapted.
# Rewritten by `p2k16-console broker-config`, so keep your own copy elsewhere.
#
# Mosquitto runs as the user `mosquitto` and reads the two files below at its start and on SIGHUP.
# They are readable by owner and group only, and every run replaces them. Run by root, they and a
# new folder belong to the group `mosquitto`. Run by somebody else, a folder with the set-group-id
# bit hands its group on to each new file, so do this once, before the first run:
#
#   sudo install -d -o USER -g mosquitto -m 2750 {folder}
#
# After enrolling a controller:
#
#   sudo p2k16-console broker-config --out {folder}
#   sudo systemctl reload mosquitto        # or: kill -HUP, which keeps all connections

# No name and password, no entry. Both files hold for all listeners.
allow_anonymous false
password_file {folder}/{PASSWORD_FILE}
acl_file {folder}/{ACL_FILE}

# The console, on the same machine: no TLS needed on loopback.
# console.toml:  [mqtt] url = "mqtt://USER:PASSWORD@127.0.0.1:1883"
listener 1883 127.0.0.1

# The controllers. A client's id is its user name here: otherwise one controller could connect
# under another's id, which throws that one out. (Not for the console's listener: two consoles
# during a restart would throw each other out.)
listener 8883
use_username_as_clientid true
certfile /etc/mosquitto/certs/fullchain.pem
keyfile /etc/mosquitto/certs/privkey.pem
tls_version tlsv1.2

# A snapshot of access rights has at most 4 MiB; nothing larger is ever sent.
max_packet_size 4718592

# Doors, tools and label printers of the old web application, if they are to use this broker: they
# need logins in files of your own, for each run replaces the two above. Write
# `per_listener_settings true` into the first line of all, repeat the three lines from
# `allow_anonymous` on below each `listener`, and give the hardware a listener with your own files;
# its ACL has `user NAME` and `topic read public/p2k16-dev/#`, say.

# What waits for a slow or absent client. The protocol acknowledges end to end and sends again,
# so losing these messages loses nothing.
max_queued_messages 1000
max_queued_bytes 16777216
"""


def write_broker_config(
    out: Path,
    *,
    prefix: str,
    url: str | None,
    controllers: Mapping[ControllerId, str],
    old_prefixes: tuple[str, ...] = (),
) -> BrokerFiles:
    """Writes password file, ACL file and example into the folder `out`, making it where needed.

    `url` is `[mqtt] url`: its user and password are the console's login. `controllers`: the
    enrolled ones with their password hashes. `old_prefixes`: as in `AccessRules`. Each file is
    replaced in one step, so that a reload in between never sees half a file.
    Raises: BrokerConfigError, BrokerUrlError.
    """
    user, password = _console_login(url)
    if user in controllers:
        raise BrokerConfigError(
            f"[mqtt] url logs in as {user!r}, which is a controller's name: choose another user"
        )
    for name in controllers:
        if not NAME.fullmatch(name):
            raise BrokerConfigError(f"not a controller's name: {name[:40]!r}")
    login = {user: hash_password(password, os.urandom(SALT_BYTES))}
    files = {
        # ACL first: a new controller without a section may do nothing, whichever file is read.
        ACL_FILE: acl_file(prefix, user, frozenset(controllers), old_prefixes=old_prefixes),
        PASSWORD_FILE: password_file(login | dict(controllers)),
        EXAMPLE_FILE: example_configuration(out.absolute()),
    }
    try:
        group = _group_to_give()
        _make_folder(out, group)
        for name, text in files.items():
            _replace(out / name, text, group)
        _sync_folder(out)
    except OSError as error:
        raise BrokerConfigError(f"can't write to {out}: {error}") from error
    return BrokerFiles(
        passwords=out / PASSWORD_FILE,
        acl=out / ACL_FILE,
        example=out / EXAMPLE_FILE,
        controllers=len(controllers),
    )


def _console_login(url: str | None) -> tuple[str, str]:
    if url is None:
        raise BrokerConfigError(
            "[mqtt] url isn't set, so the console runs its own broker, which needs no files;"
            " for Mosquitto set it to mqtt://USER:PASSWORD@HOST:PORT"
        )
    broker = parse_broker_url(url)
    if not broker.user or not broker.password:
        raise BrokerConfigError(
            "[mqtt] url has no user and password: write mqtt://USER:PASSWORD@HOST:PORT"
            " (any name that is no controller's, and a long random password)"
        )
    return broker.user, broker.password


def _group_to_give() -> int | None:
    """The group of Mosquitto; None: it has none here, or we may not give files away."""
    if os.geteuid() != 0:
        return None
    try:
        return grp.getgrnam(MOSQUITTO_GROUP).gr_gid
    except KeyError:
        return None


def _make_folder(folder: Path, group: int | None) -> None:
    """A folder that is there stays as it is: it may be anybody's."""
    if folder.is_dir():
        return
    folder.mkdir(mode=FOLDER_MODE, parents=True)
    if group is not None:
        os.chown(folder, -1, group)
        folder.chmod(FOLDER_MODE)  # whatever root's umask


def _replace(path: Path, text: str, group: int | None) -> None:
    """Temporary file, fsync, rename: a crash leaves the old file or the new one."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            _hand_over(file.fileno(), path, group)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _hand_over(descriptor: int, path: Path, group: int | None) -> None:
    """Hands the old file's owner and group on, so that a chown done once survives a new run.

    A file of root's own group goes to `group`. Not in a folder with the set-group-id bit: there the
    folder says which group.
    """
    if path.parent.stat().st_mode & stat.S_ISGID:
        return
    mine = os.fstat(descriptor)
    try:
        old = path.stat()
    except FileNotFoundError:
        old = mine
    new_group = group if group is not None and old.st_gid == 0 else old.st_gid
    if (old.st_uid, new_group) == (mine.st_uid, mine.st_gid):
        return
    try:
        os.fchown(descriptor, old.st_uid, new_group)
    except PermissionError:
        # Only root may give files away. The mode doesn't widen; Mosquitto says what it can't read.
        return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
