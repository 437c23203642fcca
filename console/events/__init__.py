"""What controllers have recorded: taken in once, told in plain words."""
