"""Splittings of unlike molecules and of spins of all sizes."""
