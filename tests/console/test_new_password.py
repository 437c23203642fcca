"""Reading a new password from a terminal or from standard input."""

import io

import pytest

from console.errors import BadRequest
from console.people.commands import read_new_password


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def never(words: str) -> str:
    raise AssertionError(f"nobody sits there to be told: {words}")


@pytest.mark.parametrize("text", ["long enough\nlong enough\n", "long enough\r\nlong enough"])
def test_two_equal_lines_of_standard_input(text: str) -> None:
    assert read_new_password(io.StringIO(text), never, never) == "long enough"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one password\nanother one\n", "differ"),
        ("only once, and long\n", "differ"),
        ("", "empty"),
        ("\n\n", "empty"),
        ("nul\0\nnul\0\n", "NUL"),
    ],
)
def test_anything_else_makes_no_account(text: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        read_new_password(io.StringIO(text), never, never)


def test_a_short_one_is_taken_with_a_warning() -> None:
    warnings: list[str] = []
    assert read_new_password(io.StringIO("x\nx\n"), never, warnings.append) == "x"
    assert warnings == ["The password has fewer than 8 characters: easily guessed."]


def test_input_that_is_no_text_makes_no_account() -> None:
    lines = io.TextIOWrapper(io.BytesIO(b"p\xff-long-enough\np\xff-long-enough\n"), "utf-8")
    with pytest.raises(BadRequest, match="UTF-8"):
        read_new_password(lines, never, never)


def test_without_any_standard_input_nothing_is_made() -> None:
    with pytest.raises(BadRequest, match="standard input"):
        read_new_password(None, never, never)


def test_a_terminal_that_is_left_makes_no_account() -> None:
    def leave(_prompt: str) -> str:
        raise EOFError

    with pytest.raises(BadRequest, match="not made"):
        read_new_password(Terminal(), leave, never)


def test_on_a_terminal_it_is_asked_for_twice() -> None:
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return " spaces stay "

    assert read_new_password(Terminal(), ask, never) == " spaces stay "
    assert len(prompts) == 2
