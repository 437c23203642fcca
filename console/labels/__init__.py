"""Labels for boxes: what one says, for the label printer to print."""
