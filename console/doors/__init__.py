"""Doors: what is true of each now, who may open it, and opening it from here."""
