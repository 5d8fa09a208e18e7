"""Crystal fields and spin Hamiltonians from the output of ORCA and OpenMolcas."""
