"""systemd's end of sd_notify: a real datagram socket that remembers what it is told."""

import socket
from pathlib import Path


class NotifySocket:
    """Bound to a path, or to an abstract name that begins with @."""

    def __init__(self, address: Path | str) -> None:
        self.address = str(address)
        self.words: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(self.address.replace("@", "\0", 1))

    def heard(self, word: str) -> int:
        """How often `word` has been told so far."""
        while True:
            try:
                self.words.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return self.words.count(word)

    @property
    def status(self) -> str:
        """The last one told; empty: none."""
        self.heard("")
        told = [word for word in self.words if word.startswith("STATUS=")]
        return told[-1].removeprefix("STATUS=") if told else ""

    def close(self) -> None:
        self._socket.close()
