"""Interference of tunnelling paths: splittings over transverse fields, and the points where they vanish."""
