"""The front page: the doors that I can open, and what happens now."""
