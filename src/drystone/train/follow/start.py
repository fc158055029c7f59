"""What follows streams with a run."""

from pathlib import Path

from drystone.torch.streaming.predictor import StatefulPredictor
from drystone.train.follow.follower import Clock, Follower
from drystone.train.follow.kept_state import KeptState
from drystone.train.run import Run


def followed_by(
    run: Run, state: Path | None, *, max_streams: int | None, forget_after: float | int | None
) -> tuple[Follower, StatefulPredictor, KeptState | None]:
    """Returns what answers lines with a run, its predictor, and what keeps the states in a file, if one is named.

    Raises:
        ConfigError: the model reads backward, which nobody can do in a stream.
    """
    clock = Clock()
    predictor = run.predictor(max_streams=max_streams, forget_after=forget_after, clock=clock)
    follower = Follower(predictor, run.schema.features, run.task.columns, clock, max_streams=max_streams)
    return follower, predictor, None if state is None else KeptState(state, predictor)
