"""Files of magnetometers."""
