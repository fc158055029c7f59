"""The Keras 3 side: the same batches, an LSTM that runs over any of them, and numbers that mean what they say."""

from drystone.core.extras import need

need("keras", "keras")

from drystone.keras.backend import check_backend  # noqa: E402

check_backend()

from drystone.keras.bidirectional import Bidirectional  # noqa: E402
from drystone.keras.lstm import LSTM  # noqa: E402
from drystone.keras.reset_states import ResetStates  # noqa: E402

__all__ = ["LSTM", "Bidirectional", "ResetStates"]
