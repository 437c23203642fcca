"""The directory for LDAP and as a passwd file: the old bytes, for whoever may have them."""

import base64
import json
from collections.abc import AsyncGenerator, Mapping
from ipaddress import ip_network

import pytest
from structlog.testing import capture_logs

from console.database import Connection, Database
from console.directory.entry import Entry
from console.directory.ldif import ldif
from console.directory.passwd import passwd
from console.settings import LegacySettings
from tests.legacy.sites import RECORDED, as_recorded, legacy_settings, site_with
from tests.support.console_app import Site, member

TOKEN = "a-token-of-the-directory"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
LDIF, PASSWD = "/core/ldap/users.ldif", "/passwd.php"
PATHS = (LDIF, PASSWD)
HERE = (ip_network("127.0.0.0/8"),)
HASH = "$2b$12$" + 53 * "x"


def recorded(path: str) -> tuple[str, bytes]:
    """What the old web app answered first: content type and body."""
    for line in (RECORDED / "recordings-public.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["kind"] == "http" and record["path"] == path:
            return record["response_headers"]["Content-Type"], record["body"].encode()
    raise AssertionError(f"{path} was not recorded")


@pytest.fixture
async def sharing(database: Database, connection: Connection) -> AsyncGenerator[Site]:
    """A console that gives this machine the directory."""
    legacy = LegacySettings(directory_token=TOKEN, directory_allow=HERE)
    async with site_with(database, connection, legacy_settings(database, legacy)) as opened:
        yield opened


async def fetch(site: Site, path: str, headers: Mapping[str, str] = BEARER) -> bytes:
    response = await (await site.browser()).get(path, headers=headers)
    assert response.status == 200
    return await response.read()


async def status(site: Site, path: str, headers: Mapping[str, str]) -> int:
    response = await (await site.browser()).get(path, headers=headers)
    body = await response.read()
    assert response.status == 200 or set(json.loads(body)) == {"message"}
    return response.status


def records(text: bytes) -> list[list[tuple[str, str]]]:
    """A reader of LDIF by RFC 2849: unfolds, decodes, splits."""
    assert text.endswith(b"\n\n")
    lines = text.decode("ascii").replace("\n ", "").removesuffix("\n\n")
    read: list[list[tuple[str, str]]] = []
    for record in lines.split("\n\n"):
        pairs: list[tuple[str, str]] = []
        for line in record.split("\n"):
            attribute, _, value = line.partition(":")
            if value.startswith(":"):
                pairs.append((attribute, base64.b64decode(value[2:], validate=True).decode()))
            else:
                assert not value.startswith("<"), "the value would be read from a file or a URL"
                pairs.append((attribute, value.lstrip(" ")))
        read.append(pairs)
    return read


def somebody(
    username: str = "kari", *, name: str | None = "Kari Nordmann", password: str | None = HASH
) -> Entry:
    return Entry(7, username, "kari@example.org", name, password)


@pytest.mark.parametrize("path", PATHS)
async def test_the_bytes_are_those_of_the_old_web_app(path: str, sharing: Site) -> None:
    await as_recorded(sharing.connection)
    _, lines = recorded(PASSWD)
    for line in lines.decode().splitlines()[:2]:  # their hashes are others in each database
        username, password = line.split(":")[:2]
        await sharing.connection.execute(
            "update account set password = %s where username = %s", [password, username]
        )
    response = await (await sharing.browser()).get(path, headers=BEARER)
    assert (response.headers["Content-Type"], await response.read()) == recorded(path)
    assert response.headers["Cache-Control"] == "no-store"


async def test_without_a_token_in_the_settings_there_is_no_directory(site: Site) -> None:
    for path in PATHS:
        for headers in ({}, BEARER):
            assert await status(site, path, headers) == 404


@pytest.mark.parametrize(
    "header",
    [
        *("", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"),
        *(f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN.upper()}", "Bearer \u00e5\u00e5"),
    ],
)
async def test_a_wrong_token_is_401(header: str, sharing: Site) -> None:
    for path in PATHS:
        assert await status(sharing, path, {"Authorization": header}) == 401
        assert await status(sharing, path, {}) == 401


async def test_being_logged_in_is_no_token(sharing: Site) -> None:
    await member(sharing.connection, "kari")
    client = await sharing.browser("kari")
    for path in PATHS:
        assert (await client.get(path)).status == 401
        assert (await client.post(path, headers=BEARER)).status in {403, 405}


@pytest.mark.parametrize("networks", ["10.0.0.0/8", "::1/128", "127.0.0.2/32"])
async def test_another_address_is_403_whatever_the_token(
    networks: str, database: Database, connection: Connection
) -> None:
    legacy = LegacySettings(directory_token=TOKEN, directory_allow=(ip_network(networks),))
    async with site_with(database, connection, legacy_settings(database, legacy)) as site:
        for path in PATHS:
            assert await status(site, path, BEARER) == 403
            assert await status(site, path, {}) == 403


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("10.1.2.3", 200),
        ("6.6.6.6, 10.1.2.3", 200),
        ("10.1.2.3, 6.6.6.6", 403),
        ("2001:db8:1:2::5", 200),
        ("2001:db8:1:3::5", 403),
        ("::ffff:10.1.2.3", 200),
        ("nonsense", 403),
        (None, 403),
    ],
)
async def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(
    forwarded: str | None, expected: int, database: Database, connection: Connection
) -> None:
    networks = (ip_network("10.1.2.3"), ip_network("2001:db8:1:2::/64"))
    legacy = LegacySettings(directory_token=TOKEN, directory_allow=networks)
    settings = legacy_settings(database, legacy, public_url="https://p2k16.example.org")
    async with site_with(database, connection, settings) as site:
        headers = BEARER if forwarded is None else {**BEARER, "X-Forwarded-For": forwarded}
        for path in PATHS:
            assert await status(site, path, headers) == expected


async def test_without_a_proxy_nobody_says_where_she_comes_from(
    database: Database, connection: Connection
) -> None:
    legacy = LegacySettings(directory_token=TOKEN, directory_allow=(ip_network("10.1.2.3"),))
    async with site_with(database, connection, legacy_settings(database, legacy)) as site:
        headers = {**BEARER, "X-Forwarded-For": "10.1.2.3"}
        assert await status(site, LDIF, headers) == 403


async def test_the_log_tells_who_fetched_it_and_nothing_of_what_is_in_it(sharing: Site) -> None:
    await member(sharing.connection, "kari")
    for path in PATHS:
        with capture_logs() as logs:
            body = await fetch(sharing, path)
            assert b"kari" in body
        [line] = [line for line in logs if line["event"] == "directory.exported"]
        assert (line["address"], line["people"]) == ("127.0.0.1", 1)
        for secret in ("kari", "$2b$", TOKEN):
            assert secret not in str(logs)
        with capture_logs() as logs:
            await status(sharing, path, {"Authorization": "Bearer wrong"})
        assert [line["reason"] for line in logs if line["event"] == "directory.refused"] == [
            "token"
        ]
        assert "wrong" not in str(logs)


@pytest.mark.parametrize(
    "name",
    [
        "Åse Ødegård",
        "Kari\nuserPassword: x",
        "Kari\r\n\r\ndn: uid=root,ou=People\nchangetype: add",
        "Kari\n\ndn: x",
        " Kari Nordmann",
        ": Kari",
        "< file:///etc/passwd",
        "Kari ",
        "Kari\u2028Nordmann\x85",
        90 * "Å",
        90 * "k",
        "Kari : Nordmann <k@x>",
    ],
)
def test_any_name_comes_out_of_the_ldif_as_it_went_in(name: str) -> None:
    text = ldif([somebody(name=name)])
    assert all(len(line) <= 76 for line in text.split(b"\n"))
    delete, add = records(text)
    dn = ("dn", "uid=kari,ou=People,dc=bitraf,dc=no")
    assert delete == [dn, ("changetype", "delete")]
    assert add == [
        dn,
        ("changetype", "add"),
        ("cn", name),
        ("gecos", name),
        ("gidNumber", "1000"),
        ("homeDirectory", "/home/kari"),
        ("mail", "kari@example.org"),
        ("objectClass", "top"),
        ("objectClass", "inetOrgPerson"),
        ("objectClass", "posixAccount"),
        ("sn", name.split()[-1]),
        ("uid", "kari"),
        ("uidNumber", "1000"),
        ("userPassword", HASH),
    ]


def test_a_space_at_the_end_stands_as_it_is() -> None:
    lines = ldif([somebody(name="Kari Nordmann ")]).split(b"\n")
    assert b"cn: Kari Nordmann " in lines
    assert b"gecos: Kari Nordmann " in lines


def test_a_line_end_in_a_user_name_stands_in_base64() -> None:
    lines = ldif([somebody("kari\n")]).split(b"\n")
    dn = b"uid=kari\n,ou=People,dc=bitraf,dc=no"
    assert lines.count(b"dn:: " + base64.b64encode(dn)) == 2
    assert b"uid:: " + base64.b64encode(b"kari\n") in lines


def test_names_that_are_not_ascii_stand_in_base64() -> None:
    lines = ldif([somebody(name="Åse Ødegård")]).split(b"\n")
    assert b"cn:: " + base64.b64encode("Åse Ødegård".encode()) in lines
    assert b"sn:: " + base64.b64encode("Ødegård".encode()) in lines


@pytest.mark.parametrize(
    ("username", "rdn"),
    [
        ("a+b@c.d_e-f", r"uid=a\2bb@c.d_e-f"),
        ("x,ou=Admins", r"uid=x\2cou=Admins"),
        ('x;"<>', r"uid=x\3b\22\3c\3e"),
        ("#x\\", r"uid=\23x\5c"),
        ("x#", "uid=x#"),
        (" x ", r"uid=\20x\20"),
        # Nothing else is reserved, so these are as they were.
        ("a=b c", "uid=a=b c"),
        ("x\n", "uid=x\n"),
        ("x\n\ndn: y", "uid=x\n\ndn: y"),
        ("åse", "uid=åse"),
    ],
)
def test_a_user_name_stays_one_name_in_the_dn(username: str, rdn: str) -> None:
    delete, add = records(ldif([somebody(username)]))
    assert delete[0] == add[0] == ("dn", f"{rdn},ou=People,dc=bitraf,dc=no")
    assert ("uid", username) in add


@pytest.mark.parametrize("name", [None, "", " ", "\n"])
def test_an_account_without_a_name_is_only_deleted(name: str | None) -> None:
    assert len(records(ldif([somebody(name=name)]))) == 1


@pytest.mark.parametrize("password", [None, ""])
def test_without_a_password_the_ldif_has_none_and_nobody_can_log_in_by_passwd(
    password: str | None,
) -> None:
    assert b"userPassword" not in ldif([somebody(password=password)])
    assert passwd([somebody(password=password)]).startswith(b"kari:None:7:7:")


@pytest.mark.parametrize("password", ["x:0:0::/:/bin/sh\nroot::0", "x\ny", "x y", "å"])
def test_what_is_no_hash_does_not_get_into_the_passwd_file(password: str) -> None:
    assert passwd([somebody(password=password)]).startswith(b"kari:None:7:7:")


@pytest.mark.parametrize(
    "name", ["Kari:0:0", "Kari\nroot::0:0:::", "Kari\r", "Kari\u2028x", "Kari\x00", "Kåre Ås"]
)
def test_a_name_stays_one_field_of_one_line(name: str) -> None:
    [line] = passwd([somebody(name=name)]).decode().splitlines()
    fields = line.split(":")
    assert len(fields) == 7
    assert fields[:4] == ["kari", HASH, "7", "7"]
    assert fields[4] == "".join(c if c.isprintable() and c != ":" else " " for c in name)
    assert fields[5:] == ["/bitraf/home/kari", "/bin/bash"]


@pytest.mark.parametrize("username", ["x:y", "x\n", "x y", "+", "-x", "", "x\u2028y"])
def test_who_has_no_name_for_a_line_is_left_out_and_the_others_stay(username: str) -> None:
    text = passwd([somebody("anne"), somebody(username), somebody("ola")])
    assert [line.split(":")[0] for line in text.decode().splitlines()] == ["anne", "ola"]


async def test_people_come_by_id_and_system_accounts_not_at_all(sharing: Site) -> None:
    for username in ("kari", "ola", "anne"):
        await member(sharing.connection, username)
    await sharing.connection.execute("update account set name = 'Ola' where username = 'ola'")
    lines = (await fetch(sharing, PASSWD)).decode().splitlines()
    assert [line.split(":")[0] for line in lines] == ["kari", "ola", "anne"]
    assert b"uid=system" not in await fetch(sharing, LDIF)
