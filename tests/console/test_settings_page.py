"""The page of settings: what is in force, what doesn't work so, and nothing secret."""

import html
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp.test_utils import TestServer

from console.database import Database
from console.in_force.told import host_of
from console.settings import ConsoleSettings, read_settings
from tests.support import makerspace
from tests.support.console_app import Site, admin, application, member, settings_for

SECRETS = {
    "mail": {"smtp_url": "smtp://post:smtp-s3cret@mail.example.org:587"},
    "stripe": {"secret_key": "sk_live_s3cret", "webhook_secret": "whsec_s3cret"},
    "legacy": {
        "secret_key": "cookie-s3cret",
        "dlock_url": "http://dlock:url-s3cret@10.0.0.7:5000",
        "dlock_password": "dlock-s3cret",
        "directory_token": "directory-s3cret-token",
        "directory_allow": ["10.0.0.9"],
    },
    "mqtt": {"url": "mqtts://console:mqtt-s3cret@broker.example.org:8883"},
}


@asynccontextmanager
async def site_with(
    site: Site, database: Database, settings: ConsoleSettings
) -> AsyncGenerator[Site]:
    async with AsyncExitStack() as stack:
        app = await application(database, settings, site.broker)
        server = await stack.enter_async_context(TestServer(app))
        yield Site(stack, app, server, site.connection, site.broker)


async def facts(site: Site) -> dict[str, str]:
    """What the page says, by what it is about."""
    page = await (await (await site.browser("ola")).get("/settings")).text()
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.DOTALL)
    return {
        html.unescape(name): html.unescape(" ".join(re.sub(r"<[^>]*>", " ", value).split()))
        for name, value in found
    }


async def test_admins_alone_see_it_and_it_says_where_each_is_changed(site: Site) -> None:
    await admin(site.connection, "ola")
    await member(site.connection, "kari")
    assert (await (await site.browser("kari")).get("/settings")).status == 403
    found = await facts(site)
    assert found["Admins"] == "admin, 1 member [roles] admin_circle"
    assert found["Front desk"] == "admins only [roles] front_desk_circle"
    assert found["Mail"].startswith("not set up [mail] smtp_url Whoever forgets her password")
    assert found["Payments by Stripe"].startswith("not set up [stripe] secret_key Nobody can pay")
    assert found["A door without the console"].startswith("all cards for 7 days")
    assert found["Rights, and why somebody had them, are kept for"] == "90 days"
    assert re.fullmatch(r"\d+ files, up to V\d{3}\.\d{3} p2k16-console migrate", found["Tables"])
    assert found["PostgreSQL"]
    assert found["Its sessions log in here, too"] == "off [legacy] secret_key"


async def test_a_role_whose_circle_does_not_exist_is_pointed_out(
    database: Database, database_url: str, site: Site
) -> None:
    await admin(site.connection, "ola")
    desk = await makerspace.circle(site.connection, name="desk")
    plain = settings_for(database_url)
    roles = replace(plain.roles, front_desk_circle="desk", treasurer_circle="tresurers")
    async with site_with(site, database, replace(plain, roles=roles)) as other:
        found = await facts(other)
        page = await (await (await other.browser("ola")).get("/settings")).text()
    assert found["Front desk"].startswith("desk, 0 members")
    assert f'href="/circles/{desk}"' in page
    assert "No circle is called so: nobody has this role." in found["Treasurers"]


async def test_no_secret_and_no_password_in_a_url_is_ever_shown(
    database: Database, database_url: str, site: Site
) -> None:
    await admin(site.connection, "ola")
    settings = read_settings(
        {
            **SECRETS,
            "data_dir": "/nonexistent",
            "http": {"public_url": "https://p2k16.example.org"},
            "database": {"url": "postgresql://p2k16:db-s3cret@db.example.org/p2k16"},
        },
        {},
        source="test",
    )
    async with site_with(site, database, settings) as other:
        client = await other.browser("ola")
        for language in ("en", "nb"):
            await client.post("/language", data={"language": language})
            page = await (await client.get("/settings")).text()
            assert "s3cret" not in page
            assert "p2k16:" not in page
        await client.post("/language", data={"language": "en"})
        found = await facts(other)
    assert found["Public address"] == "https://p2k16.example.org [http] public_url"
    assert found["Mail"] == "by mail.example.org:587 [mail] smtp_url"
    assert found["Database"] == "at db.example.org [database] url"
    assert found["Broker"] == "at broker.example.org:8883 [mqtt] url"
    assert found["The broker's connections"] == "encrypted [mqtt] url"
    assert found["Payments by Stripe"] == "set up [stripe] secret_key"
    assert found["Its door controller"] == "at 10.0.0.7:5000 [legacy] dlock_url"
    assert found["Lists of people for other programs"].startswith("for 10.0.0.9/32")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:p@db/x?password=p", "db"),
        ("postgresql://u:p@[::1]:5432/x", "::1:5432"),
        ("postgresql:///x?host=/run/postgresql&password=p", "a socket on this machine"),
        ("mqtt://u:p@host:99999", "?"),
    ],
)
def test_of_a_url_only_host_and_port_are_told(url: str, said: str) -> None:
    assert host_of(url) == said
