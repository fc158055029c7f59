"""The Keras 3 side: the same batches, an LSTM that runs over any of them, and numbers that mean what they say."""

from drystone.core.extras import need

need("keras", "keras")

from drystone.keras.backend import check_backend  # noqa: E402

check_backend()

from drystone.keras.by_sequence import BySequence  # noqa: E402

__all__ = ["BySequence"]
