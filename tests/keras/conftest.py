"""Settings of the tests of drystone.keras, which run in a process of their own for each backend: see tests/test_keras.py.

By hand: KERAS_BACKEND=jax pytest tests/keras
"""

import os

collect_ignore_glob = [] if "KERAS_BACKEND" in os.environ else ["test_*.py"]
