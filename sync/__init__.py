"""What controller and console say to one another: pure values, no I/O, no clock, no randomness."""
