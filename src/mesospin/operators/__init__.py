"""Operators of spins: angular momentum, extended Stevens operators, rotations and product spaces."""
