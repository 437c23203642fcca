"""Accounts: logging in, passwords, who there is."""
