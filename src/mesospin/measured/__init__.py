"""Measured data: files that laboratories exchange, and fits of a Hamiltonian to them."""
