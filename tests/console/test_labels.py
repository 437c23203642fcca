"""Labels: what goes to the printer, whose they may be, and a printer that isn't there."""

from pathlib import Path

import pytest

from console.database import Connection, Database
from console.labels.label import Owner, payload
from tests.support import console_app
from tests.support.console_app import Site
from tests.support.old_hardware import old_broker, old_site

PATH = "/service/label/print_box_label"


def test_the_printer_gets_the_bytes_that_it_has_always_got():
    label = payload(Owner("kari", 7, "Kåre", None, "kari@example.org"))
    assert label == (
        b'{"username": "kari", "id": 7, "name": "K\\u00e5re", "phone": null,'
        b' "email": "kari@example.org"}'
    )


async def printed(site: Site, who: str, user: object) -> int:
    browser = await site.browser(who)
    answer = await browser.post(PATH, json={"user": user})
    if answer.status == 200:
        assert await answer.text() == "{}\n"
    else:
        assert (await answer.json())["message"]
    return answer.status


async def test_people_print_their_own_and_admins_anybodys(
    database: Database, connection: Connection, tmp_path: Path
):
    kari = await console_app.member(connection, "kari", name="Kari Nordmann")
    ola = await console_app.admin(connection)
    async with (
        old_broker(tmp_path) as broker,
        old_site(database, connection, broker=broker.link) as site,
    ):
        assert await printed(site, "kari", kari) == 200
        assert await printed(site, "kari", ola) == 403
        assert await printed(site, "kari", 9999) == 403
        assert await printed(site, "ola", float(kari)) == 200
        assert await printed(site, "ola", 9999) == 404
        heard = await broker.heard(2)
    owner = Owner("kari", kari, "Kari Nordmann", None, "kari@example.org")
    assert heard == [("/public/p2k16-dev/label/print_box", payload(owner))] * 2


async def test_an_open_directory_opens_this_too(
    database: Database, connection: Connection, tmp_path: Path
):
    await console_app.member(connection, "kari")
    ola = await console_app.member(connection, "ola")
    async with (
        old_broker(tmp_path) as broker,
        old_site(database, connection, broker=broker.link, open_directory=True) as site,
    ):
        assert await printed(site, "kari", ola) == 200
        assert await printed(site, "kari", 9999) == 404
        assert len(await broker.heard(1)) == 1


async def test_without_a_broker_nobody_is_told_that_it_was_printed(
    database: Database, connection: Connection
):
    kari = await console_app.member(connection, "kari")
    async with old_site(database, connection) as site:
        assert await printed(site, "kari", kari) == 503


@pytest.mark.parametrize("user", ["2", None, True, [], 1.5])
async def test_whose_it_is_must_be_a_whole_number(site: Site, user: object):
    await console_app.admin(site.connection)
    assert await printed(site, "ola", user) == 400


async def test_strangers_print_nothing(site: Site):
    browser = await site.browser()
    assert (await browser.post(PATH, json={"user": 3})).status == 401
    await console_app.member(site.connection, "kari")
    kari = await site.browser("kari")
    assert (await kari.post(PATH, json={})).status == 400
    assert (await kari.get(PATH)).status == 405
