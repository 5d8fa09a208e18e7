"""The two wells of a spin: the classical barrier, the levels in it, the wave functions of a pair."""
