"""Relaxation times from measured ac susceptibility, decays and rates."""
