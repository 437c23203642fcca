"""Avatars: a small picture of somebody, from a photo that she uploads."""
