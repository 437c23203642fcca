"""A made-up makerspace with a virtual building, to try everything on one machine."""
