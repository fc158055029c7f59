"""Ready-made training: `fit`, and the runs that it leaves."""

from drystone.core.extras import need

need(
    "torch",
    "torch",
    "filelock",
    "jaxtyping",
    "lightning_fabric",
    "matplotlib",
    "pydantic",
    "safetensors",
    "tomlkit",
    "torchmetrics",
)

from drystone.train.checkpoint.checkpoint import Checkpoint  # noqa: E402
from drystone.train.checkpoint.store import Store  # noqa: E402
from drystone.train.fit import fit, resume  # noqa: E402
from drystone.train.loop.evaluator import Evaluator  # noqa: E402
from drystone.train.loop.events import Ended, EpochEnded, Evaluated, Event, Updated  # noqa: E402
from drystone.train.loop.objective import Objective, Outcome  # noqa: E402
from drystone.train.loop.recipe import Recipe  # noqa: E402
from drystone.train.loop.trainer import Trainer  # noqa: E402
from drystone.train.run import Run, Scores  # noqa: E402
from drystone.train.settings import Settings  # noqa: E402
from drystone.train.watch.best import Best  # noqa: E402
from drystone.train.watch.early_stopping import EarlyStopping  # noqa: E402
from drystone.train.watch.metrics_log import MetricsLog  # noqa: E402
from drystone.train.watch.progress import Progress  # noqa: E402
from drystone.train.watch.saver import Saver  # noqa: E402
from drystone.train.watch.tensorboard import TensorBoard  # noqa: E402

__all__ = [
    "Best",
    "Checkpoint",
    "EarlyStopping",
    "Ended",
    "EpochEnded",
    "Evaluated",
    "Evaluator",
    "Event",
    "MetricsLog",
    "Objective",
    "Outcome",
    "Progress",
    "Recipe",
    "Run",
    "Saver",
    "Scores",
    "Settings",
    "Store",
    "TensorBoard",
    "Trainer",
    "Updated",
    "fit",
    "resume",
]
