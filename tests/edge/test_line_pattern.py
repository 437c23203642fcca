"""Patterns from the settings: those that could take long are refused before any line comes."""

import re
import time

import pytest

from edge.readers.line_pattern import LINE_BYTES_MAX, PatternMistake, read_pattern


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[0-9A-F]{8,20}",
        "^ID=([0-9A-F]+);.*$",
        r"(?:W26:|26,)(?P<id>[0-9A-F]{6,7}|[01]{26})",
        r"\d+,\d+",
        r"[^\],]+\]",
        r"\.\*a??b",
        "[]a]{3}",
    ],
)
def test_what_a_line_needs_is_allowed(text: str):
    pattern = read_pattern(text)
    assert isinstance(pattern, re.Pattern)
    assert pattern.pattern == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(a+)+", "groups that are not repeated"),
        ("(?:a|a)*", "groups that are not repeated"),
        ("(a)\\1", "expected characters"),
        ("(?=a)a", "expected characters"),
        ("(?i)a", "expected characters"),
        ("a++", "expected characters"),
        ("a**", "expected characters"),
        (r"\w+\b", "expected characters"),
        (".*.*.*", "ways to match"),
        ("a?" * 20, "ways to match"),
        ("(?:||||||)" * 6, "ways to match"),
        ("(a", "no regular expression"),
        ("a)", "no regular expression"),
        ("[z-a]", "no regular expression"),
        ("a{3,2}", "no regular expression"),
        ("[[a]", "no regular expression"),
        ("[a", "expected characters"),
        ("é", "ASCII"),
        ("a" * 300, "at most 200"),
    ],
)
def test_anything_else_is_a_mistake_that_says_why(text: str, words: str):
    mistake = read_pattern(text)
    assert isinstance(mistake, PatternMistake)
    assert words in mistake.words


@pytest.mark.parametrize(
    "text", [".*.*", "[a-z]*a[a-z]*b", "a?a?a?a?a?a?a?a?a?a?a?a?a?", "(?:a|aa|aaa)" * 3 + "a*"]
)
def test_what_is_allowed_takes_no_time(text: str):
    """A generous limit: the worst of them would take minutes if it weren't counted."""
    pattern = read_pattern(text)
    assert isinstance(pattern, re.Pattern)
    began = time.monotonic()
    for _ in range(10):
        pattern.fullmatch("a" * (LINE_BYTES_MAX - 1) + "!")
    assert time.monotonic() - began < 5
