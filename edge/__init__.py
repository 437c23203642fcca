"""The controller: it reads cards, decides by itself, and moves the relay."""

VERSION = "0.4.0"
"""The distribution's version; asking its metadata would cost 2 MB."""
