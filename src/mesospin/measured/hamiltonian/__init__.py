"""Fits of a spin Hamiltonian to measured data."""
