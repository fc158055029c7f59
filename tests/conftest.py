"""Settings of all tests."""

from hypothesis import settings

settings.register_profile("drystone", deadline=None, max_examples=50)
settings.load_profile("drystone")
