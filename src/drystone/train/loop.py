"""The training loop: batches, loss, backward, step."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from drystone.core.errors import DrystoneError
from drystone.core.loader import Loader
from drystone.torch.batch import TensorBatch, batches
from drystone.train.model import SequenceClassifier
from drystone.train.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one optimiser step did; all sums are over the sequences that ended in its batch.

    Args:
        epoch: counted from 0.
        sequences, steps: how many sequences ended, and how many real steps ran.
        loss_sum: of the sequences.
        correct: sequences whose class was predicted right.
        seconds: that it took, with the making of its batch.
        is_last: whether it ends the epoch.
    """

    epoch: int
    sequences: int
    steps: int
    loss_sum: float
    correct: int
    seconds: float
    is_last: bool


def train(
    model: SequenceClassifier, loader: Loader, codes: npt.NDArray[np.int64], settings: Settings, device: torch.device
) -> Iterator[Update]:
    """Trains the model, and yields after every update.

    Args:
        model: in place; its parameters change.
        loader: the training part.
        codes: [sequences] the class of each.
        settings: of the optimiser and its schedule.
        device: where the model is.

    Raises:
        DrystoneError: the loss is not finite; the message names the batch and its sequences.
    """
    targets = torch.from_numpy(codes)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    # One more than the updates, since the schedule also steps after the last one.
    num_rates = _num_updates(loader, settings.epochs) + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.learning_rate, num_rates, cycle_momentum=False)
    started = time.perf_counter()
    for epoch in range(settings.epochs):
        model.train()
        for number, batch in enumerate(batches(loader, device)):
            target = targets[batch.host.ends.sequence].to(device)
            logits = model(batch)
            loss = functional.cross_entropy(logits, target, label_smoothing=settings.label_smoothing)
            value = loss.item()
            _check_loss(value, epoch, number, batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
            optimizer.step()
            schedule.step()
            yield Update(
                epoch=epoch,
                sequences=len(target),
                steps=int(batch.host.valid.sum()),
                loss_sum=value * len(target),
                correct=int((logits.argmax(1) == target).sum()),
                seconds=time.perf_counter() - started,
                is_last=number + 1 == len(loader),
            )
            started = time.perf_counter()


def _num_updates(loader: Loader, epochs: int) -> int:
    """The updates of all epochs; a layout may make a different number of batches in each."""
    lengths, layout, seed = loader.seqs.lengths, loader.layout, loader.seed
    return sum(layout.plan(lengths, seed, epoch).num_batches for epoch in range(epochs))


def _check_loss(value: float, epoch: int, number: int, batch: TensorBatch) -> None:
    if np.isfinite(value):
        return
    named = ", ".join(map(str, batch.host.ends.sequence[:8].tolist()))
    raise DrystoneError(
        f"the loss is {value} in epoch {epoch + 1}, batch {number} (training sequences {named}, ...). "
        f"Try a lower learning_rate."
    )
