"""Switching of single-domain particles, over and through their barrier."""
