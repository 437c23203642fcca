"""How answers of the old API begin: their types, and what else a path takes."""

import pytest

from tests.support.console_app import Site, member


async def test_json_says_nothing_of_its_characters(site: Site) -> None:
    await member(site.connection, "kari", name="Åse")
    client = await site.browser("kari")
    for path, status, content_type in (
        ("/data/tool", 200, "application/json"),
        ("/data/profile", 200, "application/json"),
        ("/data/tool/9999", 404, "application/vnd.error+json"),
        ("/data/nowhere", 404, "application/vnd.error+json"),
    ):
        async with client.get(path) as answer:
            assert (answer.status, answer.headers["Content-Type"]) == (status, content_type)
            assert (await answer.read()).isascii()


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/service/door/open", "OPTIONS, POST"),
        ("/data/company", "GET, HEAD, OPTIONS, POST, PUT"),
        ("/data/circle/2", "DELETE, GET, HEAD, OPTIONS"),
    ],
)
async def test_whoever_asks_is_told_which_methods_a_path_takes(
    site: Site, path: str, methods: str
) -> None:
    await member(site.connection, "kari")
    for who in (None, "kari"):
        client = await site.browser(who)
        async with client.options(path) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
            assert answer.headers["Allow"] == methods
            assert not [name for name in answer.headers if name.startswith("Access-Control")]
    async with client.options("/data/nowhere") as answer:
        assert answer.status == 404
