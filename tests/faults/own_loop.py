"""A training of one's own: a module that is not drystone's, rows that carry state, dropout, several batches an update."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics import MeanSquaredError

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.torch.batch import TensorBatch
from drystone.train import Best, Evaluator, Event, MetricsLog, Outcome, Recipe, Saver, Store, Trainer

RECIPE = Recipe(
    backprop_steps=8, epochs=2, learning_rate=0.02, schedule="cosine", batches_per_update=2, evaluate_every=3
)


class Forecast(nn.Module):
    """Plain PyTorch, step by step, and no two of its random numbers are from the same generator."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(1, 5)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(5, 1)

    def forward(self, batch: TensorBatch, state: Tensor | None) -> tuple[Tensor, Tensor]:
        num_rows, num_steps = batch.valid.shape
        state = torch.zeros(num_rows, 5) if state is None else state
        outputs = []
        for step in range(num_steps):
            state = torch.where(batch.reset[:, step, None], torch.zeros(()), state)
            after = self.cell(batch["x"][:, step], state)
            state = torch.where(batch.valid[:, step, None], after, state)
            outputs.append(self.head(self.dropout(state)))
        noise = np.random.normal(scale=0.01) if self.training else 0.0  # noqa: NPY002  (as people's models do)
        return torch.stack(outputs, dim=1)[..., 0] + noise, state


def squares(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
    predicted, state = model(batch, state)
    predicted, target = predicted[batch.scored], batch["y"][batch.scored]
    loss = ((predicted - target) ** 2).sum()
    return Outcome(loss=loss, weight=len(target), predictions=predicted, targets=target, state=state)


def waves(num_sequences: int, seed: int) -> Sequences:
    draw = np.random.default_rng(seed)
    x = [draw.normal(size=(length, 1)).astype(np.float32) for length in draw.integers(3, 20, num_sequences)]
    return Sequences.from_arrays({"x": x, "y": [np.cumsum(values[:, 0]) for values in x]})


class OwnRun:
    """All parts of such a training, in a folder; new ones, as a new process would make them."""

    def __init__(self, folder: Path, seconds: float) -> None:
        torch.manual_seed(5)
        np.random.seed(5)  # noqa: NPY002
        layout = ds.Stateful(rows=3, steps=4)
        self.model = Forecast()
        metrics = {"error": MeanSquaredError()}
        evaluator = Evaluator(squares, ds.Loader(waves(5, 1), ds.Stateful(rows=2, steps=5)), metrics)
        self.trainer = Trainer(
            self.model, ds.Loader(waves(9, 0), layout, 3), squares, RECIPE, evaluator=evaluator, metrics=metrics
        )
        self.store = Store(folder / "checkpoints")
        self.log = MetricsLog(folder / "metrics.jsonl")
        self.best = Best(monitor="error", higher_is_better=False)
        self.saver = Saver(self.trainer, self.store, self.log, self.best, seconds)

    def watch(self, event: Event) -> None:
        for watch in (self.log, self.best, self.saver):
            watch(event)

    def state(self) -> dict[str, Any]:
        """All that a training ends with."""
        state = self.trainer.state_dict() | {"best": self.best.state_dict(), "weights": self.saver.best_weights}
        state["counts"] = state["counts"] | {"seconds": None}
        state["totals"] = state["totals"] | {"seconds": None}
        return state
