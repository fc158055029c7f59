"""The Keras 3 side: the same batches, an LSTM that runs over any of them, and numbers that mean what they say."""

from drystone.core.extras import need

need("keras", "keras")

from drystone.keras.backend import check_backend  # noqa: E402

check_backend()

from drystone.keras.bidirectional import Bidirectional  # noqa: E402
from drystone.keras.by_sequence import BySequence  # noqa: E402
from drystone.keras.check import check  # noqa: E402
from drystone.keras.dataset import Dataset  # noqa: E402
from drystone.keras.indices import ends_of, segment_of  # noqa: E402
from drystone.keras.losses import WeightedMean  # noqa: E402
from drystone.keras.lstm import LSTM  # noqa: E402
from drystone.keras.metrics import EveryStep  # noqa: E402
from drystone.keras.reset_states import ResetStates  # noqa: E402
from drystone.keras.tf_data import to_tf_dataset  # noqa: E402

__all__ = [
    "LSTM",
    "Bidirectional",
    "BySequence",
    "Dataset",
    "EveryStep",
    "ResetStates",
    "WeightedMean",
    "check",
    "ends_of",
    "segment_of",
    "to_tf_dataset",
]
