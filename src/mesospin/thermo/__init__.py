"""Thermal equilibrium: from the levels to every static observable."""
