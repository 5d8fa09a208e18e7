"""Files of other programs and of laboratories: CSV, PHI, EasySpin."""
