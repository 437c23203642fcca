"""Sends mail through the server that `[mail] smtp_url` names.

Decides how long that may take, and that neither an address nor a text can add a header or another
recipient. What a mail says is for the features. Nothing here logs an address.
"""

import asyncio
import re
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from ipaddress import IPv6Address, ip_address
from urllib.parse import unquote, urlsplit

from console.errors import ConsoleError
from console.settings import MailSettings

STEP_SECONDS = 10
"""The mail server gets so long for each of its answers."""
MAIL_SECONDS = 30
"""And so long for all of them, and for the mails that wait before this one."""
THREADS = 2
WAITING_MAX = 50
ADDRESS_CHARACTERS_MAX = 254
OLD_ASSOCIATION = "Bitraf"
"""Source: the contract of its API, §5 and §8."""

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
"""What is taken as one address. Others are legal, but nobody has them."""
_PORTS = {"smtp": 25, "smtps": 465}


class MailFailed(ConsoleError):
    """The mail was not sent. The message says why, without addresses."""


class Mailer:
    """Sends mail, a few at once. Without `smtp_url` it is off, and sending fails."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._sender_name, self._sender = parseaddr(settings.sender)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="mail")
        self._waiting = 0

    @property
    def is_on(self) -> bool:
        """Whether there is a mail server."""
        return self._settings.smtp_url is not None

    @property
    def association(self) -> str:
        """Who writes: the name in `[mail] sender`, else that of the old web app's mails."""
        return self._sender_name or OLD_ASSOCIATION

    async def send(self, *, to: str, subject: str, html: str) -> None:
        """Hands one mail to the server. Raises: MailFailed."""
        url = self._settings.smtp_url
        if url is None:
            raise MailFailed("no mail is sent here: [mail] smtp_url names no server")
        if self._waiting >= WAITING_MAX:
            raise MailFailed(f"{WAITING_MAX} mails are waiting already")
        message = self._message(to, subject, html)
        self._waiting += 1
        try:
            async with asyncio.timeout(MAIL_SECONDS):
                await asyncio.get_running_loop().run_in_executor(
                    self._pool, lambda: self._hand_over(url, message, to)
                )
        except TimeoutError:
            raise MailFailed(f"the mail server took longer than {MAIL_SECONDS} s") from None
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Drops what waits; what is being sent goes on for some seconds."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def _domain(self) -> str:
        return self._sender.rpartition("@")[2]

    def _message(self, to: str, subject: str, html: str) -> EmailMessage:
        _refuse_odd(to)
        message = EmailMessage(policy=SMTP)
        try:
            message["Subject"] = subject
            message["From"] = self._settings.sender
            message["To"] = to
            message["Date"] = formatdate()
            message["Message-ID"] = make_msgid(domain=self._domain)
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(html, subtype="html")
        except (ValueError, IndexError, MessageError):
            raise MailFailed("the subject, or an address, can't stand in a mail") from None
        return message

    def _hand_over(self, url: str, message: EmailMessage, to: str) -> None:
        """Runs in a thread. The causes of failures are left out: they quote addresses."""
        try:
            server = self._connected(url)
            try:
                server.send_message(message, self._sender, [to])
                with suppress(OSError):  # it has the mail, whatever it answers now
                    server.quit()
            finally:
                server.close()
        except ssl.SSLCertVerificationError as error:
            raise MailFailed(
                f"the mail server's certificate isn't trusted: {error.verify_message}"
            ) from None
        except smtplib.SMTPResponseException as error:
            raise MailFailed(f"the mail server refused with {error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            raise MailFailed(f"the mail server refused the recipient with {codes}") from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else None
            raise MailFailed(
                f"the mail server can't be reached, or can't take this mail: "
                f"{reason or type(error).__name__}"
            ) from None

    def _connected(self, url: str) -> smtplib.SMTP:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host,
                port,
                self._domain,
                timeout=STEP_SECONDS,
                context=ssl.create_default_context(),
            )
        else:
            server = smtplib.SMTP(host, port, self._domain, timeout=STEP_SECONDS)
        try:
            server.ehlo_or_helo_if_needed()
            if parts.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=_opportunistic(server))
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
        except BaseException:
            server.close()
            raise
        return server


def _opportunistic(server: smtplib.SMTP) -> ssl.SSLContext:
    """For STARTTLS. Of a mail server on this machine no proof is asked.

    Nobody is in between there, and the certificate that comes with it is one that it made itself.
    """
    context = ssl.create_default_context()
    address = ip_address(server.sock.getpeername()[0]) if server.sock else None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address is not None and address.is_loopback:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _refuse_odd(address: str) -> None:
    if len(address) > ADDRESS_CHARACTERS_MAX or not (
        _ADDRESS.fullmatch(address) and address.isprintable()
    ):
        raise MailFailed("what stands there as an e-mail address is none")
