"""The controller: it reads cards, decides by itself, and moves the relay."""

VERSION = "0.2.0"
"""The distribution's version; asking its metadata would cost 2 MB."""
