"""Recipes: what a laboratory measures, from a system, its surroundings and a protocol."""
