"""Mail goes to whom it is for, and to nobody else; what fails is told without addresses."""

import asyncio
import time
from pathlib import Path

import pytest

from console import mail
from console.mail import Mailer, MailFailed
from console.settings import MailSettings
from tests.support.brokers import free_port
from tests.support.smtp_sink import SmtpSink, certificate, own_address, smtp_sink

TO = "kari@example.org"
PLAIN_LOGIN = ("AUTH PLAIN",)


def mailer(url: str | None, sender: str = "Bitraf <post@bitraf.no>") -> Mailer:
    return Mailer(MailSettings(smtp_url=url, sender=sender))


async def send(
    sender: Mailer,
    *,
    to: str = TO,
    subject: str = "Hello",
    html: str = "<p>Welcome</p>",
) -> None:
    try:
        await sender.send(to=to, subject=subject, html=html)
    finally:
        sender.close()


async def test_a_mail_arrives_as_html_from_the_sender_of_the_settings() -> None:
    async with smtp_sink() as sink:
        await send(mailer(sink.url), subject="Møte på fredag", html="<p>Hei på deg, Åse</p>")
    [kept] = sink.mails
    assert (kept.sender, kept.recipients) == ("<post@bitraf.no>", (f"<{TO}>",))
    assert kept.message["From"] == "Bitraf <post@bitraf.no>"
    assert kept.message["To"] == TO
    assert kept.message["Subject"] == "Møte på fredag"
    assert kept.message.get_content_type() == "text/html"
    assert kept.html.strip() == "<p>Hei på deg, Åse</p>"
    assert kept.message["Date"]
    assert str(kept.message["Message-ID"]).endswith("@bitraf.no>")


@pytest.mark.parametrize(
    "to",
    [
        "kari@example.org\r\nBcc: all@example.org",
        "kari@example.org\nX: y",
        "kari@example.org, ola@example.org",
        "Kari <kari@example.org>",
        "kari@example.org> SIZE=1",
        "kari@example.org\u2028",
        "not-an-email",
        "",
        "@",
        "k" * 250 + "@example.org",
    ],
)
async def test_what_is_not_one_address_gets_nothing(to: str) -> None:
    async with smtp_sink() as sink:
        with pytest.raises(MailFailed) as raised:
            await send(mailer(sink.url), to=to)
        assert sink.mails == []
    assert "kari" not in str(raised.value)


@pytest.mark.parametrize("subject", ["Hi\r\nBcc: all@example.org", "Hi\nBcc: all@example.org"])
async def test_a_subject_cant_add_a_header(subject: str) -> None:
    async with smtp_sink() as sink:
        with pytest.raises(MailFailed, match="subject"):
            await send(mailer(sink.url), subject=subject)
        assert sink.mails == []


async def test_a_text_cant_end_the_mail_early() -> None:
    html = "<p>one</p>\n.\nMAIL FROM:<x@example.org>\r\n.\r\n<p>two</p>"
    async with smtp_sink() as sink:
        await send(mailer(sink.url), html=html)
    [kept] = sink.mails
    assert kept.html.splitlines() == html.splitlines()


async def test_starttls_is_taken_where_it_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with smtp_sink(context=context, offers=("STARTTLS", *PLAIN_LOGIN)) as sink:
        await send(mailer(sink.url.replace("//", "//post%40bitraf.no:s%3Acret@")))
    assert [(kept.was_encrypted, kept.login) for kept in sink.mails] == [
        (True, "\0post@bitraf.no\0s:cret")
    ]


async def test_smtps_is_encrypted_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with smtp_sink(context=context, tls=True) as sink:
        await send(mailer(sink.url.replace("smtp:", "smtps:")))
    assert [kept.was_encrypted for kept in sink.mails] == [True]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_starttls_of_this_machine_needs_no_trusted_certificate(
    tmp_path: Path, host: str
) -> None:
    _, context = certificate(tmp_path)
    async with smtp_sink(context=context, offers=("STARTTLS",)) as sink:
        await send(mailer(sink.url.replace("127.0.0.1", host)))
    assert [kept.was_encrypted for kept in sink.mails] == [True]


@pytest.mark.parametrize(
    ("scheme", "is_near"), [("smtp", False), ("smtps", False), ("smtps", True)]
)
async def test_a_certificate_that_isnt_trusted_is_told_and_nothing_is_sent(
    tmp_path: Path, scheme: str, is_near: bool
) -> None:
    _, context = certificate(tmp_path)
    host = "127.0.0.1" if is_near else own_address()
    async with smtp_sink(
        context=context, offers=("STARTTLS",), tls=scheme == "smtps", host=host
    ) as sink:
        with pytest.raises(MailFailed, match=r"certificate isn't trusted: self.signed"):
            await send(mailer(sink.url.replace("smtp:", f"{scheme}:")))
    assert sink.mails == []


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        ({"RCPT": "550 kari@example.org is unknown"}, r"recipient with \[550\]"),
        ({"MAIL": "452 too full for kari@example.org"}, "refused with 452"),
        ({"DATA": "554 kari@example.org is spam"}, "refused with 554"),
        ({"EHLO": "500 what", "HELO": "500 what"}, "refused with 500"),
    ],
)
async def test_a_refusal_is_told_without_addresses(replies: dict[str, str], words: str) -> None:
    async with smtp_sink() as sink:
        sink.replies = replies
        with pytest.raises(MailFailed, match=words) as raised:
            await send(mailer(sink.url))
    assert "kari" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__, "a log of it would show the address"


async def test_a_mail_that_was_taken_is_sent_whatever_follows() -> None:
    async with smtp_sink() as sink:
        sink.replies = {"QUIT": ""}
        await send(mailer(sink.url))
    assert len(sink.mails) == 1


async def test_without_a_server_nothing_is_sent() -> None:
    assert not mailer(None).is_on
    with pytest.raises(MailFailed, match="smtp_url"):
        await send(mailer(None))
    with pytest.raises(MailFailed, match="can't be reached"):
        await send(mailer(f"smtp://127.0.0.1:{free_port()}"))


async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "STEP_SECONDS", 0.3)
    async with smtp_sink() as sink:
        sink.is_silent = True
        began = time.monotonic()
        with pytest.raises(MailFailed, match="can't be reached"):
            await send(mailer(sink.url))
    assert time.monotonic() - began < 3


async def test_only_so_many_mails_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "WAITING_MAX", 3)
    monkeypatch.setattr(mail, "STEP_SECONDS", 0.3)
    async with smtp_sink() as sink:
        sink.is_silent = True
        outcomes = await _five(sink)
    assert outcomes.count("3 mails are waiting already") == 2


async def _five(sink: SmtpSink) -> list[str]:
    busy = mailer(sink.url)
    try:
        outcomes = await asyncio.gather(
            *(busy.send(to=TO, subject="Hi", html="") for _ in range(5)), return_exceptions=True
        )
    finally:
        busy.close()
    return list(map(str, outcomes))


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("Hackeriet <post@hackeriet.no>", "Hackeriet"),
        ('"Hackeriet, Oslo" <post@hackeriet.no>', "Hackeriet, Oslo"),
        ("post@hackeriet.no", "Bitraf"),
        ("<post@hackeriet.no>", "Bitraf"),
    ],
)
def test_the_senders_name_is_the_associations_else_that_of_the_old_web_app(
    sender: str, name: str
) -> None:
    assert mailer(None, sender).association == name


def test_without_a_sender_in_the_settings_the_association_is_called_as_ever() -> None:
    assert Mailer(MailSettings()).association == "Bitraf"
