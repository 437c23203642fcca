"""Somebody as a directory has her."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """`password`: the stored hash; None: cannot log in. `name` None: has given none."""

    account_id: int
    username: str
    email: str
    name: str | None
    password: str | None = field(repr=False)
