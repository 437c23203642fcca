"""The console: what members and volunteers see, and where access rights come from."""
