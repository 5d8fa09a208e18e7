"""What a user who stops a run is told."""


class Interrupted(Exception):
    """The user stopped a run; the message says what is kept."""
