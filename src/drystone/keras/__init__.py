"""The Keras 3 side: the same batches, an LSTM that runs over any of them, and numbers that mean what they say."""

from drystone.core.extras import need

need("keras", "keras")

from drystone.keras.backend import check_backend  # noqa: E402

check_backend()

from drystone.keras.check import check  # noqa: E402
from drystone.keras.dataset import Dataset  # noqa: E402
from drystone.keras.losses import WeightedMean  # noqa: E402
from drystone.keras.metrics import EveryStep  # noqa: E402
from drystone.keras.tf_data import to_tf_dataset  # noqa: E402

__all__ = ["Dataset", "EveryStep", "WeightedMean", "check", "to_tf_dataset"]
