"""A mail server for tests, which keeps what it gets: with TLS, with STARTTLS, or with neither."""

import asyncio
import base64
import socket
import ssl
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support.brokers import require_program


@dataclass(frozen=True)
class Kept:
    """One mail: to whom it went in truth, and what it says."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    was_encrypted: bool
    login: str | None

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.data, policy=policy.default)

    @property
    def html(self) -> str:
        content = self.message.get_content()
        assert isinstance(content, str)
        return content


@dataclass
class SmtpSink:
    """`replies`: what it answers to a command instead of 250, such as {"RCPT": "550 no"}.

    It hangs up where that is empty.
    """

    host: str = "127.0.0.1"
    port: int = 0
    mails: list[Kept] = field(default_factory=list[Kept])
    replies: dict[str, str] = field(default_factory=dict[str, str])
    offers: tuple[str, ...] = ()
    context: ssl.SSLContext | None = None
    is_silent: bool = False

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, recipients, login = "", list[str](), None
        if self.is_silent:
            await reader.read()
            return
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            command = line.decode("latin-1").strip()
            word = command.upper().split()[0].split(":")[0]
            if self.replies.get(word) == "":
                return
            if word in self.replies:
                writer.write(f"{self.replies[word]}\r\n".encode())
                continue
            match word:
                case "EHLO":
                    said = ["250-sink", *(f"250-{offer}" for offer in self.offers), "250 8BITMIME"]
                    writer.write("".join(f"{one}\r\n" for one in said).encode())
                    continue
                case "STARTTLS" if self.context is not None:
                    writer.write(b"220 go\r\n")
                    await writer.drain()
                    await writer.start_tls(self.context)
                    continue
                case "AUTH":
                    login = base64.b64decode(command.split()[2]).decode()
                    writer.write(b"235 welcome\r\n")
                    continue
                case "MAIL":
                    sender, recipients = command[10:], []
                case "RCPT":
                    recipients.append(command[8:])
                case "DATA":
                    writer.write(b"354 go\r\n")
                    data = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
                    data = data.replace(b"\r\n..", b"\r\n.")
                    encrypted = writer.get_extra_info("sslcontext") is not None
                    self.mails.append(Kept(sender, tuple(recipients), data, encrypted, login))
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    return
                case _:
                    pass
            writer.write(b"250 ok\r\n")


@asynccontextmanager
async def smtp_sink(
    *,
    context: ssl.SSLContext | None = None,
    offers: tuple[str, ...] = (),
    tls: bool = False,
    host: str = "127.0.0.1",
) -> AsyncGenerator[SmtpSink]:
    """Listens on a free port. `tls`: speaks it from the start; else `context` is for STARTTLS."""
    sink = SmtpSink(offers=offers, context=context, host=host)
    server = await asyncio.start_server(sink.converse, host, 0, ssl=context if tls else None)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()


def own_address() -> str:
    """An address of this machine by which others reach it; skips the test where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unsent:
        try:
            unsent.connect(("203.0.113.1", 9))  # sends nothing: it only chooses a way out
        except OSError:
            pytest.skip("NOT TESTED: this machine has no network")
        return str(unsent.getsockname()[0])


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that nobody trusts unless told to, and a server's context."""
    crt, key = folder / "mail.crt", folder / "mail.key"
    request = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mail")
    extension = ("-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run(
        [require_program("openssl"), *request, *extension, "-keyout", key, "-out", crt],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    return crt, context
