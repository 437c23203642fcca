"""Circles: groups of people that doors and tools ask for, and who may change them."""
