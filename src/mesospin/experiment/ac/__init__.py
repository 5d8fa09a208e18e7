"""Response to an alternating field."""
