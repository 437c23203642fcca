"""What readers say, one file per protocol: bytes in, frames and faults out, no input or output."""
