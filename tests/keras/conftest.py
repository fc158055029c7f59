"""Settings of the tests of drystone.keras, which run in a process of their own for each backend: see tests/test_keras.py.

By hand: KERAS_BACKEND=jax pytest tests/keras
"""

import os

collect_ignore_glob = [] if "KERAS_BACKEND" in os.environ else ["test_*.py"]

# The models of the tests are small: compiling them takes JAX far longer than running them.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
