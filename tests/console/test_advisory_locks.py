"""Two parts that took the same number for an advisory lock would wait for one another."""

import re
from pathlib import Path

import console

LOCK = re.compile(r"pg_advisory\w*_lock\((\d+)\)")


def test_every_advisory_lock_has_a_number_of_its_own():
    sources = Path(console.__file__).parent.rglob("*.py")
    numbers = [number for source in sources for number in LOCK.findall(source.read_text())]
    assert len(numbers) >= 4
    assert len(set(numbers)) == len(numbers)
