"""Coherent sweeps: the Schroedinger equation, windows around crossings, the Lindblad equation."""
