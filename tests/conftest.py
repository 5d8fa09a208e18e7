"""Settings shared by all tests."""

import os

import matplotlib as mpl
from hypothesis import settings

# No window opens, whatever machine the tests run on.
mpl.use("Agg")

settings.register_profile("dev", max_examples=20, deadline=None)
# derandomize: the same examples in every run, so that a failure is a failure of the change.
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
