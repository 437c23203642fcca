"""Numbers as forms and addresses post them. Pure."""

ID_DIGITS_MAX = 18
"""A bigint has nineteen, and none of ours comes near."""


def read_id(text: str) -> int | None:
    """The number of a row; None: it is none."""
    is_number = text.isascii() and text.isdigit() and len(text) <= ID_DIGITS_MAX
    return int(text) if is_number else None
