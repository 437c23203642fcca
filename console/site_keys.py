"""The keys that everything at the doors rests on: files in `data_dir/keys`.

Decides where they lie, that they are whole, and that they belong to the database. Losing them kills
every card: the salt is in each card's digest, and each controller trusts the root key only. So they
are made once, all together, and never again silently.
"""

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from console.database import Connection
from console.errors import ConsoleError
from sync.credential import SITE_SALT_BYTES
from sync.envelope import CONSOLE, Kind, open_, seal
from sync.errors import WireError
from sync.ids import Epoch
from sync.keyset import Keyset, decode_keyset, encode_keyset
from sync.sealing import sealing_public_key
from sync.signing import SEED_BYTES, public_key

FOLDER_NAME = "keys"
KEYSET_FILE = "keyset"
SECRETS = {
    "root.seed": SEED_BYTES,
    "snapshot.seed": SEED_BYTES,
    "command.seed": SEED_BYTES,
    "beacon.seed": SEED_BYTES,
    "sealing.private": 32,  # X25519
    "site.salt": SITE_SALT_BYTES,
}
"""File names, and how many bytes each holds, written as hex digits."""

VALID_MS = 10 * 365 * 24 * 3600 * 1000
FILE_BYTES_MAX = 4096


class SiteKeysError(ConsoleError):
    """The keys can't be used. Restoring `data_dir/keys` from a backup is the remedy."""


@dataclass(frozen=True, slots=True)
class SiteIdentity:
    """What a bundle says of this site: nothing that signs. `site_salt`: 16 bytes, secret.

    `keys_end_ms`: when the keys that sign end, in Unix time; None: not known.
    """

    root_public_key: bytes
    sealing_public_key: bytes
    site_salt: bytes = field(repr=False)
    keys_end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class SiteKeys:
    """Ed25519 seeds of 32 bytes, an X25519 private key of 32 bytes, a salt of 16 bytes.

    `keyset` holds the public halves of the three online keys.
    """

    root_seed: bytes = field(repr=False)
    snapshot_seed: bytes = field(repr=False)
    command_seed: bytes = field(repr=False)
    beacon_seed: bytes = field(repr=False)
    sealing_private: bytes = field(repr=False)
    site_salt: bytes = field(repr=False)
    keyset: Keyset

    @property
    def root_public_key(self) -> bytes:
        """What every controller trusts, and the fingerprint of these keys."""
        return public_key(self.root_seed)

    @property
    def sealing_public_key(self) -> bytes:
        """For which controllers seal what only the console may read."""
        return sealing_public_key(self.sealing_private)

    @property
    def identity(self) -> SiteIdentity:
        """What controllers know of it."""
        return SiteIdentity(
            self.root_public_key,
            self.sealing_public_key,
            self.site_salt,
            self.keyset.not_after_ms,
        )


async def open_site_keys(
    conn: Connection, data_dir: Path, *, now_ms: int, notice: Callable[[str], None]
) -> SiteKeys:
    """The keys of this database; made, with a notice, where neither has any yet.

    `conn` must be in a transaction: it claims a database that belongs to no keys yet.
    Raises: SiteKeysError.
    """
    claimed = await claimed_by(conn)
    keys = load_site_keys(data_dir)
    if keys is None:
        if claimed is not None:
            raise SiteKeysError(
                f"the keys of this database are missing in {data_dir / FOLDER_NAME}: restore that "
                "folder from a backup (without it every card and controller is to be set up anew)"
            )
        keys = create_site_keys(data_dir, now_ms=now_ms, notice=notice)
    await claim(conn, keys, data_dir)
    return keys


def load_site_keys(data_dir: Path) -> SiteKeys | None:
    """The keys in the data folder; None where there are none. Raises: SiteKeysError."""
    folder = data_dir / FOLDER_NAME
    try:
        present = {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SiteKeysError(f"{folder} can't be read: {error.strerror}") from error
    missing = sorted({*SECRETS, KEYSET_FILE} - present)
    if len(missing) == len(SECRETS) + 1:
        return None
    if missing:
        raise SiteKeysError(
            f"{folder} lacks {', '.join(missing)}: restore the folder whole from a backup"
        )
    values = [_read_secret(folder / name, length) for name, length in SECRETS.items()]
    keyset = _read_keyset(folder / KEYSET_FILE, public_key(values[0]))
    keys = _site_keys(values, keyset)
    if keyset != _keyset(keys, keyset.epoch, keyset.not_before_ms, keyset.not_after_ms):
        raise SiteKeysError(
            f"the files in {folder} don't belong together: restore the folder whole from a backup"
        )
    return keys


def create_site_keys(data_dir: Path, *, now_ms: int, notice: Callable[[str], None]) -> SiteKeys:
    """Makes new keys, or takes those that somebody else made meanwhile. Raises: SiteKeysError."""
    folder = data_dir / FOLDER_NAME
    values = [secrets.token_bytes(length) for length in SECRETS.values()]
    unsigned = Keyset(Epoch(1), b"", b"", b"", 0, 0)
    keys = _site_keys(values, unsigned)
    keys = replace(keys, keyset=_keyset(keys, Epoch(1), now_ms, now_ms + VALID_MS))
    files = {
        name: value.hex().encode() + b"\n" for name, value in zip(SECRETS, values, strict=True)
    }
    files[KEYSET_FILE] = seal(Kind.KEYSET, CONSOLE, encode_keyset(keys.keyset), seed=keys.root_seed)
    try:
        _make_folder(data_dir)
        is_ours = _write_whole(folder, files)
    except OSError as error:
        raise SiteKeysError(f"can't make the keys in {folder}: {error.strerror}") from error
    if not is_ours:
        theirs = load_site_keys(data_dir)
        if theirs is None:
            raise SiteKeysError(f"{folder} holds something else than keys: move it away")
        return theirs
    notice(
        f"Made new keys in {folder}. BACK THIS FOLDER UP, somewhere safe and private: whoever has "
        "it can open every door, and without it every card stops working."
    )
    return keys


async def claimed_by(conn: Connection) -> bytes | None:
    """The root public key that a database belongs to; None before the first."""
    cursor = await conn.execute("select root_public_key from access.site")
    row = await cursor.fetchone()
    return None if row is None else bytes(row[0])


async def claim(conn: Connection, keys: SiteKeys, data_dir: Path) -> None:
    """Binds a database without keys to these, for ever. Raises: SiteKeysError if it has others."""
    await conn.execute(
        "insert into access.site (root_public_key) values (%(key)s) on conflict do nothing",
        {"key": keys.root_public_key},
    )
    if await claimed_by(conn) != keys.root_public_key:
        raise SiteKeysError(
            f"the keys in {data_dir / FOLDER_NAME} don't belong to this database: use the data_dir "
            "or the backup that does, or another database. Nothing was changed"
        )


def _site_keys(values: Sequence[bytes], keyset: Keyset) -> SiteKeys:
    """From the values in the order of `SECRETS`."""
    root, snapshot, command, beacon, sealing, salt = values
    return SiteKeys(root, snapshot, command, beacon, sealing, salt, keyset)


def _keyset(keys: SiteKeys, epoch: Epoch, not_before_ms: int, not_after_ms: int) -> Keyset:
    return Keyset(
        epoch,
        public_key(keys.snapshot_seed),
        public_key(keys.command_seed),
        public_key(keys.beacon_seed),
        not_before_ms,
        not_after_ms,
    )


def _read_secret(path: Path, length: int) -> bytes:
    text = _read(path).strip()
    if not re.fullmatch(rb"[0-9a-f]{%d}" % (length * 2), text):
        raise SiteKeysError(f"{path} doesn't hold {length} bytes as hex digits: restore a backup")
    return bytes.fromhex(text.decode())


def _read_keyset(path: Path, root: bytes) -> Keyset:
    try:
        return decode_keyset(open_(_read(path), Kind.KEYSET, CONSOLE, public_key=root))
    except WireError as error:
        raise SiteKeysError(f"{path} is not signed by the root key beside it: {error}") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX)
    except OSError as error:
        raise SiteKeysError(f"{path} can't be read: {error.strerror}") from error


def _make_folder(data_dir: Path) -> None:
    missing = [path for path in (data_dir, *data_dir.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            # The embedded PostgreSQL's user has to pass through. What is secret has 0700 itself.
            path.chmod(0o755)


def _write_whole(folder: Path, files: dict[str, bytes]) -> bool:
    """Makes the folder with all files in one step. False: there is one already, with something."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # 0700
    try:
        _fill(temporary, files, owner=folder.parent.stat())
        try:
            temporary.rename(folder)
        except (FileExistsError, OSError) as error:
            if not folder.exists():
                raise error from None
            return False
        _sync(folder.parent)
        return True
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fill(folder: Path, files: dict[str, bytes], *, owner: os.stat_result) -> None:
    """Writes the files. What root makes belongs to `owner`, so that the service can read it."""
    within = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for name, content in files.items():
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=within)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                if os.geteuid() == 0:
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        if os.geteuid() == 0:
            os.fchown(within, owner.st_uid, owner.st_gid)
        os.fsync(within)
    finally:
        os.close(within)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
