"""The reader drivers that the settings may name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from edge.readers.rdm6300 import Rdm6300Parser
from edge.readers.reader import Reader

DRIVERS: Mapping[str, Callable[[], Reader]] = MappingProxyType(
    {
        "rdm6300": Rdm6300Parser,
        "id12la": Rdm6300Parser,
        "id20la": Rdm6300Parser,
    }
)
"""`reader.driver` → a new parser. Every one of these readers talks at 9600 baud, 8N1."""
