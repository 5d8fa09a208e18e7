"""The command line: it reads arguments, calls the public functions and prints what they return."""
