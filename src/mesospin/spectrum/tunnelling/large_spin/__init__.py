"""Tunnel splittings of a single spin of any size, banded and in log space."""
