"""In which language a page comes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.database import Database
from console.settings import read_settings
from console.web.language import COOKIE, preferred
from console.web.render import TEMPLATES
from console.words import Language, Text
from sync.settings_table import SettingsError
from tests.support.console_app import Site, member, served, settings_for, visiting

EN, NB = Language.ENGLISH, Language.NORWEGIAN


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("nb-NO,nb;q=0.9,no;q=0.8,nn;q=0.7,en-US;q=0.6,en;q=0.5", NB),
        ("no", NB),
        ("nn-NO", NB),
        ("NB", NB),
        ("en-GB", EN),
        ("de,en;q=0.5,nb;q=0.4", EN),
        ("en;q=0.5, nb;q=0.50001", NB),
        ("en,nb", EN),
        ("de-DE,fr", None),
        ("nb;q=0", None),
        ("nb;q=much,en;q=0.1", EN),
        ("*", None),
        ("", None),
        (";;;,,,q=", None),
    ],
)
def test_a_browser_says_what_its_owner_reads(header: str, language: Language | None) -> None:
    assert preferred(header) is language


@given(st.text())
def test_whatever_a_browser_says_is_taken(header: str) -> None:
    assert preferred(header) in {None, *Language}


async def test_the_choice_is_kept_before_what_the_browser_asks_for(site: Site) -> None:
    client = await site.browser()
    headers = {"Accept-Language": "nb"}
    page = await (await client.get("/login", headers=headers)).text()
    assert '<html lang="nb"' in page
    assert "<h1>Logg inn</h1>" in page
    assert ">English</button>" in page
    response = await client.post(
        "/language", data={"language": "en", "next": "/login?next=/me"}, allow_redirects=False
    )
    assert response.status == 303
    assert response.headers["Location"] == "/login?next=/me"
    assert response.cookies[COOKIE]["httponly"]
    assert response.cookies[COOKIE]["samesite"] == "Lax"
    page = await (await client.get("/login", headers=headers)).text()
    assert '<html lang="en"' in page
    assert "<h1>Log in</h1>" in page


def test_the_language_of_the_space_is_one_that_we_speak() -> None:
    def told(language: str) -> Language:
        return read_settings({"site": {"language": language}}, {}, source="x").site.language

    assert read_settings({}, {}, source="x").site.language is EN
    assert told("nb") is NB
    with pytest.raises(SettingsError, match=r"site.language"):
        told("de")


async def test_without_a_wish_a_page_is_in_the_language_of_the_space(
    database: Database, database_url: str
) -> None:
    plain = settings_for(database_url)
    norwegian = replace(plain, site=replace(plain.site, language=NB))
    for settings, heading in ((plain, "Log in"), (norwegian, "Logg inn")):
        async with served(database, settings) as server, visiting(server) as client:
            for headers in ({}, {"Accept-Language": "de"}):
                page = await (await client.get("/login", headers=headers)).text()
                assert f"<h1>{heading}</h1>" in page


@pytest.mark.parametrize("fields", [{"language": "de"}, {}, {"language": "nb\x00"}])
async def test_a_language_that_we_do_not_speak_is_refused(
    site: Site, fields: dict[str, str]
) -> None:
    client = await site.browser()
    response = await client.post("/language", data=fields, allow_redirects=False)
    assert response.status == 400
    assert COOKIE not in response.cookies


async def test_a_cookie_that_makes_no_sense_counts_for_nothing(site: Site) -> None:
    client = await site.browser()
    client.session.cookie_jar.update_cookies({COOKIE: "../../etc"})
    assert '<html lang="en"' in await (await client.get("/login")).text()


async def test_nobody_is_led_to_another_site_or_made_to_choose_by_one(site: Site) -> None:
    client = await site.browser()
    fields = {"language": "nb", "next": "//evil.example/"}
    response = await client.post("/language", data=fields, allow_redirects=False)
    assert response.headers["Location"] == "/"
    response = await client.post(
        "/language", data=fields, headers={"Origin": "http://evil.example"}, allow_redirects=False
    )
    assert response.status == 403


async def test_refusals_are_in_the_language_of_the_page_and_data_in_english(site: Site) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    headers = {"Accept-Language": "nb", "Accept": "text/html"}
    for path, words in (
        ("/nowhere", "Det er ingenting på denne adressen."),
        ("/doors", "Dette er for medlemmer av sirkelen «admin»."),
    ):
        page = await (await client.get(path, headers=headers)).text()
        assert words in page
    data = await (await client.get("/data/nowhere", headers=headers)).text()
    assert "Not Found" in data


async def test_words_of_people_are_escaped_in_every_language(site: Site) -> None:
    evil = "<b>&'\" %s %(name)s {day}"
    await member(site.connection, "kari", name=evil)
    for language in ("en", "nb"):
        client = await site.browser("kari")
        client.session.headers["Accept-Language"] = language
        page = await (await client.get("/me")).text()
        assert "<b>&" not in page
        assert "&lt;b&gt;&amp;&#39;&#34; %s %(name)s {day}" in page


async def test_a_text_is_escaped_where_it_stands_in_a_template(site: Site) -> None:
    for environment in site.app[TEMPLATES].environments.values():
        template = environment.from_string(
            "{{ words }}{% trans w=words %}<i>{{ w }}</i>{% endtrans %}"
        )
        assert "<b>" not in template.render(words=Text("{a} < 1", a="<b>"))
