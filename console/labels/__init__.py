"""Labels for boxes, printed at the space."""
