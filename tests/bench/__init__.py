"""Measures; never asserts. `make bench` prints one JSON line for each figure."""
