"""Environments of a spin: phonons and frozen disorder."""
