"""A made world for one controller: time, disk, network, console, readers and relays, by a seed.

The daemon that runs in it is the real one (edge/assembly.py, edge/daemon.py); what it reaches
beyond itself (edge/outside.py) is played here. Nothing waits, and nothing is random without the
seed: the same scenario always takes the same course.
"""
