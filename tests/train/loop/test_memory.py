"""What must be remembered for longer than a batch is learned where the state is carried, and cannot be where it is not."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import drystone as ds
from drystone.torch import LSTM, TensorBatch
from drystone.train import Evaluator, Outcome, Recipe, Trainer

LAYOUT = ds.Stateful(rows=32, steps=8)


def latches(num_series: int, seed: int) -> ds.Sequences:
    """At some steps a bit is shown, with a flag; at each step the bit shown last is to be told.

    From one bit to the next it is 3 to 30 steps, so some are to be told within the batch that showed them, which is how
    far gradients reach, and others up to four batches later.
    """
    rng = np.random.default_rng(seed)
    inputs, targets = [], []
    for _ in range(num_series):
        gaps = rng.integers(3, 31, 15)
        bits = rng.integers(0, 2, len(gaps))
        x = np.zeros((gaps.sum(), 2), "float32")
        shown = np.cumsum(gaps) - gaps
        x[shown, 0], x[shown, 1] = 1.0, 2 * bits - 1
        inputs.append(x)
        targets.append(np.repeat(bits, gaps).astype("float32"))
    return ds.Sequences.from_arrays({"x": inputs, "bit": targets})


class Latch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = LSTM(2, 8), nn.Linear(8, 1)

    def forward(self, batch: TensorBatch, state: Any) -> tuple[Tensor, Any]:
        run = self.lstm.run(batch["x"], batch.grid, state)
        return self.head(run.output)[..., 0], run.state


def carrying(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
    outputs, state = model(batch, state)
    logits, bits = outputs[batch.valid], batch["bit"][batch.valid]
    loss = nn.functional.binary_cross_entropy_with_logits(logits, bits, reduction="sum")
    return Outcome(loss=loss, weight=len(bits), predictions=logits, targets=bits, state=state)


def forgetting(model: nn.Module, batch: TensorBatch, _state: None) -> Outcome:
    outcome = carrying(model, batch, None)
    return Outcome(loss=outcome.loss, weight=outcome.weight, predictions=outcome.predictions, targets=outcome.targets)


class Accuracy(NamedTuple):
    """The share of right answers, for bits shown in the same batch and for those shown in an earlier one."""

    same_batch: float
    earlier_batch: float


def accuracy(objective: Any, seed: int) -> Accuracy:
    """Trains and tests; all but the objective is the same."""
    torch.manual_seed(seed)
    model = Latch()
    recipe = Recipe(epochs=4, learning_rate=0.05)
    for _ in Trainer(model, ds.Loader(latches(64, seed), LAYOUT, seed), objective, recipe).run():
        pass
    right: dict[bool, list[Tensor]] = {True: [], False: []}
    for batch, outcome in Evaluator(objective, ds.Loader(latches(64, seed + 1000), LAYOUT)).outcomes(model):
        is_right = (outcome.predictions > 0) == (outcome.targets > 0.5)
        was_shown = (batch["x"][..., 0].cumsum(dim=1) > 0)[batch.valid]
        for where in (True, False):
            right[where].append(is_right[was_shown == where])
    return Accuracy(*(torch.cat(right[where]).double().mean().item() for where in (True, False)))


def test_longer_memory_than_a_batch_is_learned_with_the_state_and_is_chance_without() -> None:
    with_state, without = accuracy(carrying, seed=0), accuracy(forgetting, seed=0)
    assert min(with_state) > 0.95
    assert without.same_batch > 0.95, "the same model learns what lies within a batch"
    assert 0.4 < without.earlier_batch < 0.6
