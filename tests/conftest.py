"""Settings of all tests."""

import os

from hypothesis import settings

# The models of the tests are small: a second thread gains nothing, and costs much where cores are shared.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("drystone", deadline=None, max_examples=50)
settings.load_profile("drystone")
