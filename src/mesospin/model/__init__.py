"""The model: spins, the terms of their Hamiltonian, their surroundings, and the library of molecules."""
