"""What the models of all tasks share: features as an LSTM reads them, and the LSTM."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from drystone.core.errors import ConfigError
from drystone.torch.batch import TensorBatch
from drystone.torch.drop import Dropout
from drystone.torch.lstm import LSTM
from drystone.torch.lstm_run import LSTMRun, State
from drystone.train.features.feature import Features
from drystone.train.features.inputs import InputLayer
from drystone.train.settings import Settings


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What the shape of a model depends on."""

    features: Features
    num_outputs: int
    settings: Settings


class RunModel(nn.Module, ABC):
    """Features as an LSTM reads them, the LSTM, and what a task makes of its outputs; the model of a run.

    Args:
        spec: what its shape depends on.
        vectors: how many outputs of the LSTM lie side by side before the head.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, spec: ModelSpec, vectors: int = 1) -> None:
        super().__init__()
        settings = spec.settings
        assert settings.bidirectional is not None
        assert settings.head_dropout is not None
        self.features = spec.features
        self.noise = settings.noise or 0.0
        self.register_buffer("mean", torch.zeros(spec.features.size, dtype=torch.float64))
        self.register_buffer("spread", torch.ones(spec.features.size, dtype=torch.float64))
        self.input_layer = InputLayer(
            spec.features,
            settings.embedding_size,
            embedding_dropout=settings.embedding_dropout,
        )
        self.lstm = LSTM(
            self.input_layer.width,
            settings.hidden_size,
            settings.num_layers,
            dropout=settings.dropout if settings.num_layers > 1 else 0.0,
            bidirectional=settings.bidirectional,
            variational_dropout=settings.variational_dropout,
            weight_dropout=settings.weight_dropout,
            dropout_seed=settings.seed,
        )
        width = settings.hidden_size * (2 if settings.bidirectional else 1)
        self.dropout = Dropout(settings.head_dropout)
        self.head = nn.Linear(width * vectors, spec.num_outputs)
        if settings.precision == "64-true":
            self.double()

    @abstractmethod
    def advance(
        self,
        x: Float[Tensor, "rows steps numbers"],
        state: Any = None,
        valid: Bool[Tensor, "rows steps"] | None = None,
    ) -> tuple[Float[Tensor, "rows steps outputs"], Any]:
        """Goes on with sequences by some steps each; to be called in evaluation mode.

        Args:
            x: float64 [rows, steps, numbers], as they were read, in the order of `Features.columns`.
            state: what the call before returned; None, or zeros of its shapes, where sequences begin. A nest of tensors with the rows on
                axis 1.
            valid: bool [rows, steps], true at real steps; None where all are.

        Returns:
            What `Run.predict` would say if the sequence ended at each step, [rows, steps, outputs], 0 at invalid
            cells; and the state after each row's last valid cell.

        Raises:
            ConfigError: the model cannot go on step by step; the message names the setting.
        """

    def check_one_direction(self) -> None:
        """Raises ConfigError where the model reads backward, and so cannot go on step by step."""
        if self.lstm.bidirectional:
            raise ConfigError(
                "bidirectional is on: a backward direction needs the end of a sequence first, so the model cannot go on "
                "step by step. Train it with bidirectional=False (--no-bidirectional)."
            )

    def set_statistics(self, mean: npt.NDArray[np.float64], spread: npt.NDArray[np.float64]) -> None:
        """Sets what inputs are standardised with; it is saved with the weights."""
        self.mean.copy_(torch.from_numpy(mean))
        self.spread.copy_(torch.from_numpy(spread))

    def run(self, batch: TensorBatch, state: State | None = None) -> LSTMRun:
        """Runs the LSTM over a batch, with noise and all dropout in training.

        Args:
            batch: with the features.
            state: of the rows, from the batch before; None for zeros.
        """
        x = self.features.matrix(batch)
        if (looked_up := self.input_layer.looked_up(x)) is not None:
            ids, vectors = looked_up
            return self.lstm.run(ids, batch.grid, state, epoch=batch.epoch, vectors=vectors)
        return self.lstm.run(self.read(x), batch.grid, state, epoch=batch.epoch)

    def at_cells(
        self, batch: TensorBatch, state: Any, cells: Int[Tensor, " cells"]
    ) -> tuple[Float[Tensor, "cells outputs"], Any]:
        """Returns the outputs of the head at some cells, and the state of the rows: None of a model that reads backward too.

        Args:
            batch: with the features.
            state: of the rows, from the batch before; None for zeros.
            cells: their numbers row × steps + step.
        """
        both = self.lstm.bidirectional
        run = self.run(batch, None if both else state)
        outputs = self.head(self.dropout(run.output.flatten(0, 1).index_select(0, cells)))
        return outputs, None if both else run.state

    def read(self, x: Float[Tensor, "rows steps numbers"]) -> Float[Tensor, "rows steps width"]:
        """Returns what the LSTM reads of features, float64, in the order of `Features.columns`."""
        # In float64, so that large numbers with small differences (times, prices) keep their digits.
        standardised = ((x - self.mean) / self.spread).to(self.head.weight.dtype)
        if self.training and self.noise:
            standardised = standardised + self.noise * torch.randn_like(standardised)
        return self.input_layer(x, standardised)
