"""The web frame: routes and who may use them, sessions, the origin check, pages and live updates.

What a page says, and what a form does, is decided by the features.
"""
