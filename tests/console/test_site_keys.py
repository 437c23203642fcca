"""The keys: made once, all together, and bound to their database."""

import os
import stat
from pathlib import Path

import pytest

from console.database import Connection
from console.site_keys import (
    KEYSET_FILE,
    SECRETS,
    SiteKeys,
    SiteKeysError,
    create_site_keys,
    load_site_keys,
    open_site_keys,
)
from sync.signing import public_key

NOW_MS = 1_790_000_000_000


def create(data_dir: Path) -> SiteKeys:
    return create_site_keys(data_dir, now_ms=NOW_MS, notice=lambda _: None)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_keys_are_whole_private_and_read_back_as_made(tmp_path: Path):
    keys = create(tmp_path / "data")
    folder = tmp_path / "data" / "keys"
    assert mode(folder) == 0o700
    assert {path.name for path in folder.iterdir()} == {*SECRETS, KEYSET_FILE}
    assert {mode(path) for path in folder.iterdir()} == {0o600}
    assert load_site_keys(tmp_path / "data") == keys
    assert keys.keyset.epoch == 1
    assert keys.keyset.snapshot_key == public_key(keys.snapshot_seed)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["keys"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of somebody else")
def test_keys_that_root_makes_belong_to_whoever_the_data_folder_does(tmp_path: Path):
    os.chown(tmp_path, 65534, 65533)
    create(tmp_path)
    folder = tmp_path / "keys"
    for path in (folder, *folder.iterdir()):
        assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65533), path


def test_no_secret_shows_in_a_repr(tmp_path: Path):
    keys = create(tmp_path)
    assert keys.site_salt.hex() not in repr(keys)
    assert "root_seed" not in repr(keys)


def test_making_keys_says_to_back_them_up(tmp_path: Path):
    said: list[str] = []
    create_site_keys(tmp_path, now_ms=NOW_MS, notice=said.append)
    assert len(said) == 1
    assert str(tmp_path / "keys") in said[0]


def test_whoever_comes_second_takes_the_keys_of_the_first(tmp_path: Path):
    assert create(tmp_path) == create(tmp_path)


@pytest.mark.parametrize("name", [*SECRETS, KEYSET_FILE])
def test_a_missing_file_is_an_error_and_nothing_is_made_anew(tmp_path: Path, name: str):
    create(tmp_path)
    (tmp_path / "keys" / name).unlink()
    with pytest.raises(SiteKeysError, match=f"lacks {name}"):
        load_site_keys(tmp_path)
    with pytest.raises(SiteKeysError, match=f"lacks {name}"):
        create(tmp_path)


@pytest.mark.parametrize("name", [*SECRETS, KEYSET_FILE])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path, name: str):
    create(tmp_path)
    (tmp_path / "keys" / name).write_bytes(b"nonsense\n")
    with pytest.raises(SiteKeysError, match=name):
        load_site_keys(tmp_path)


@pytest.mark.parametrize("name", ["root.seed", "snapshot.seed", "command.seed", "beacon.seed"])
def test_keys_of_two_sites_are_not_mixed(tmp_path: Path, name: str):
    create(tmp_path / "one")
    create(tmp_path / "other")
    mine, other = (tmp_path / site / "keys" / name for site in ("one", "other"))
    mine.write_bytes(other.read_bytes())
    with pytest.raises(SiteKeysError, match=r"backup|root key"):
        load_site_keys(tmp_path / "one")


async def opened(connection: Connection, data_dir: Path) -> SiteKeys:
    async with connection.transaction():
        return await open_site_keys(connection, data_dir, now_ms=NOW_MS, notice=lambda _: None)


async def test_the_first_keys_claim_the_database_and_open_it_again(
    tmp_path: Path, connection: Connection
):
    assert await opened(connection, tmp_path) == await opened(connection, tmp_path)


async def test_keys_of_another_database_are_refused(tmp_path: Path, connection: Connection):
    await opened(connection, tmp_path / "mine")
    create(tmp_path / "other")
    with pytest.raises(SiteKeysError, match="don't belong to this database"):
        await opened(connection, tmp_path / "other")


async def test_lost_keys_are_not_replaced_by_new_ones(tmp_path: Path, connection: Connection):
    await opened(connection, tmp_path / "mine")
    with pytest.raises(SiteKeysError, match="missing"):
        await opened(connection, tmp_path / "empty")
    assert not (tmp_path / "empty").exists()
