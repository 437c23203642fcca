"""Sends mail through the server that `[mail] smtp_url` names."""
