"""Levels, crossings and tunnel splittings of a spin system in a field."""
