"""Study files: the kinds of experiment and their keys."""
