"""What an answer has to look like, so that whoever reads it finds what it looks for. Pure."""

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import TypeAlias, cast

EVERY = "*"
"""In a shape's place of a key: whatever keys there are."""

Shape: TypeAlias = "type | UnionType | tuple[Shape, ...] | Sequence[Shape] | Mapping[str, Shape]"
"""A type; one of several shapes (a tuple); a list of one; or an object that has these keys, and may
have others.
"""


def mistake(value: object, shape: Shape, where: str = "") -> str | None:
    """The first thing that is missing or something else; None: all is there."""
    match shape:
        case tuple():
            found = [mistake(value, one, where) for one in cast("tuple[Shape, ...]", shape)]
            return None if None in found else found[-1]
        case Mapping():
            return _in_object(value, shape, where)
        case [each]:
            if not isinstance(value, list):
                return f"{where or 'it'} is no list"
            rows = enumerate(cast("list[object]", value), 1)
            found = (mistake(row, each, f"{where}[{number}]") for number, row in rows)
            return next((one for one in found if one is not None), None)
        case _:
            kind = cast("type", shape)
            is_right = isinstance(value, kind) and (kind is not int or not isinstance(value, bool))
            return None if is_right else f"{where or 'it'} is something else"


def _in_object(value: object, shape: Mapping[str, Shape], where: str) -> str | None:
    if not isinstance(value, dict):
        return f"{where or 'it'} is no object"
    values = cast("dict[str, object]", value)
    wanted = dict.fromkeys(values, shape[EVERY]) if EVERY in shape else shape
    for key, part in wanted.items():
        name = f"{where}.{key}" if where else key
        found = mistake(values[key], part, name) if key in values else f"{name} is missing"
        if found is not None:
            return found
    return None
