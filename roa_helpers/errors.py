"""The one exception that a user is meant to read."""


class UserError(Exception):
    """Something outside the code is wrong; the message says what, where, and what to do about it.

    The command line prints the message alone and exits with 2. Everything else that is raised is a bug.
    """
