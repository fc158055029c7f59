"""What follows streams with a run."""

from pathlib import Path

from drystone.core.errors import ConfigError
from drystone.torch.streaming.predictor import StatefulPredictor
from drystone.train.follow.follower import Clock, Follower
from drystone.train.follow.kept_state import KeptState
from drystone.train.follow.line import RESET, STEP, STREAM
from drystone.train.run import Run

OF_LINES = (STREAM, STEP, RESET)


def followed_by(
    run: Run, state: Path | None, *, max_streams: int | None, forget_after: float | int | None
) -> tuple[Follower, StatefulPredictor, KeptState | None]:
    """Returns what answers lines with a run, its predictor, and what keeps the states in a file, if one is named.

    Raises:
        ConfigError: the model cannot go on step by step, or an input field has a name that lines use otherwise.
    """
    for name in run.schema.features.names:
        if name in OF_LINES:
            raise ConfigError(
                f"the run has an input field {name!r}, and lines say {', '.join(OF_LINES)} in fields of these names. "
                f"Rename the column and train again, or use run.predictor() in Python."
            )
    clock = Clock()
    predictor = run.predictor(max_streams=max_streams, forget_after=forget_after, clock=clock)
    follower = Follower(predictor, run.schema.features, run.task.columns, clock)
    return follower, predictor, None if state is None else KeptState(state, predictor)
