"""Splittings with a proved error: ball arithmetic on the exact Hamiltonian."""
