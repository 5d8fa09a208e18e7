"""Time evolution: rates, master equations, unitary and dissipative field sweeps."""
