"""Walks through all pages, as everybody: they find pages by themselves."""
