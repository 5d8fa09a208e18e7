"""Tunnel splittings of a named pair of levels, at any size, and the ways to compute them."""
