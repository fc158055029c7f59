"""`variational_dropout` of runs: what a sequence drops in an epoch, in every task and layout, and after a stop."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import drystone as ds
from drystone.core.dropout import kept_units
from drystone.train import Settings, Updated
from drystone.train.loop.randomness import kept_randomness, seed_all
from drystone.train.parts import trainer_of
from drystone.train.prepare import Prepared, prepare
from tests.train.stopping import left_by, stopping_after
from tests.train.wordy import sentences

FRACTION, RATE, SEED = 0.4, 0.5, 7
EXACT: dict[str, Any] = {
    "text": "word",
    "variational_dropout": FRACTION,
    "unknown_rate": RATE,
    "seed": SEED,
    "epochs": 2,
    "precision": "64-true",
    "hidden_size": 4,
    "num_layers": 2,
    "test_fraction": 0.0,
    "schedule": "constant",
    "learning_rate": 0.01,
    "weight_decay": 0.0,
    "gradient_clip": 0.0,
    "dropout": 0.0,
    "embedding_dropout": 0.0,
    "head_dropout": 0.0,
    "label_smoothing": 0.0,
    "noise": 0.0,
}
TASKS: dict[str, dict[str, Any]] = {
    "classify": {"target": "tone"},
    "classify, packed": {"target": "tone", "layout": "packed", "batch_size": 7},
    "tag": {"target": "kind"},
    "tag, stateful": {"target": "kind", "layout": "stateful", "rows": 3, "steps": 4},
    "joint": {"target": "tone,kind", "layout": "bucketed", "batch_size": 6},
    "language-model": {"task": "language-model", "rows": 3, "steps": 4},
}


def prepared_for(**settings: Any) -> Prepared:
    with kept_randomness():
        seed_all(SEED)
        return prepare(sentences(), Settings.of(**EXACT | settings))


def trained(prepared: Prepared) -> list[Updated]:
    return [event for event in trainer_of(prepared, lambda: None).run() if isinstance(event, Updated)]


class Plain:
    """The same model by plain modules, one sequence at a time."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared, self.model = prepared, deepcopy(prepared.model)
        own, task = self.model.lstm, prepared.task
        both = own.bidirectional
        self.layers = nn.ModuleList()
        for layer in range(own.num_layers):
            width = own.input_size if layer == 0 else own.hidden_size * (1 + both)
            plain = nn.LSTM(width, own.hidden_size, bidirectional=both, batch_first=True, dtype=torch.float64)
            for name, _ in list(plain.named_parameters()):
                setattr(plain, name, getattr(own, name.replace("_l0", f"_l{layer}")))
            self.layers.append(plain)
        self.vocabulary: Any = task.schema.features.vocabulary
        self.is_language_model = task.settings.task == "language-model"

    def outputs(self, sequence: int, epoch: int) -> Tensor:
        """[steps, units]"""
        ids = self.ids(sequence)
        steps = np.arange(len(ids))
        hidden = self.vocabulary.replaced(ids, np.full_like(steps, sequence), steps, rate=RATE, seed=SEED, epoch=epoch)
        vectors = self.model.input_layer.readers[0].vectors.weight
        x = vectors[torch.from_numpy(np.where(hidden, 1, ids)).long() % len(vectors)]
        x = torch.where(torch.from_numpy(ids == len(vectors))[:, None], 0.0, x)  # what begins a document
        for layer, lstm in enumerate(self.layers):
            kept = kept_units(np.array([sequence]), layer, x.shape[1], fraction=FRACTION, seed=SEED, epoch=epoch)
            x = torch.where(torch.from_numpy(kept), x / (1 - FRACTION), 0.0)
            x = lstm(x[None])[0][0]
        return x

    def ids(self, sequence: int) -> Any:
        (name,) = self.prepared.task.schema.features.batch_fields
        return self.prepared.loader.seqs[sequence][name]

    def target(self, name: str, sequence: int) -> Any:
        found = self.prepared.parts["train"][sequence][name]
        names = {"tone": ["bright", "dark"], "kind": ["even", "odd"]}[name]
        return torch.from_numpy(np.array([names.index(each) for each in np.atleast_1d(found)]))

    def losses(self, sequence: int, epoch: int) -> Tensor:
        """The loss of the sequence, or of each of its steps."""
        output, target, model = self.outputs(sequence, epoch), self.prepared.settings.target, self.model
        if self.is_language_model:
            ids = torch.from_numpy(self.ids(sequence)).long()
            return functional.cross_entropy(model.head(output[:-1]), ids[1:], reduction="none")
        found = []
        if "tone" in target:
            head = model.sequence_head if "," in target else model.head
            pooled = output.mean(dim=0)[None]
            found.append(functional.cross_entropy(head(pooled), self.target("tone", sequence), reduction="none"))
        if "kind" in target:
            found.append(functional.cross_entropy(model.head(output), self.target("kind", sequence), reduction="none"))
        return found[0] if len(found) == 1 else found[0] + found[1].sum()


def batches_of(prepared: Prepared) -> Iterator[tuple[int, ds.Batch]]:
    loader = ds.Loader(prepared.loader.seqs, prepared.loader.layout, prepared.loader.seed)
    for epoch in range(2):
        yield from ((epoch, batch) for batch in loader)


@pytest.mark.parametrize("task", ["classify", "classify, packed", "tag", "joint"])
def test_two_epochs_are_those_of_a_plain_loop(task: str) -> None:
    prepared = prepared_for(**TASKS[task])
    plain, expected = Plain(prepared), []
    optimizer = torch.optim.AdamW(plain.model.parameters(), lr=0.01, weight_decay=0.0)
    for epoch, batch in batches_of(prepared):
        loss = torch.cat([plain.losses(sequence, epoch) for sequence in batch.ends.sequence.tolist()]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    found = trained(prepared)
    assert {event.epoch for event in found} == {0, 1}
    np.testing.assert_allclose([event.loss for event in found], expected, rtol=1e-10)


@pytest.mark.parametrize("task", ["tag, stateful", "language-model"])
def test_a_sequence_over_several_batches_drops_the_same_in_each(task: str) -> None:
    prepared = prepared_for(**TASKS[task], learning_rate=1e-300)  # the weights stay
    plain, expected = Plain(prepared), []
    for epoch, batch in batches_of(prepared):
        spans, losses = batch.spans, list[Tensor]()
        for sequence, offset, length in zip(spans.sequence, spans.offset, spans.length, strict=True):
            losses.append(plain.losses(int(sequence), epoch)[offset : offset + length])
        expected.append(torch.cat(losses).mean().item())
    np.testing.assert_allclose([event.loss for event in trained(prepared)], expected, rtol=1e-10)


@pytest.mark.parametrize("task", ["classify", "tag, stateful"])
def test_stopped_within_an_epoch_it_ends_the_same(task: str) -> None:
    settings = EXACT | TASKS[task] | {"precision": "32-true", "progress": False}
    whole = ds.fit(sentences(), **settings)
    with stopping_after(whole.metrics[-1]["update"] // 2 + 1):
        run = ds.fit(sentences(), **settings)
    assert not run.is_finished
    again = ds.resume(run.path, sentences(), progress=False)
    assert left_by(again.path) == left_by(whole.path)


def test_nothing_is_dropped_in_evaluation() -> None:
    run = ds.fit(sentences(), **EXACT | TASKS["tag"] | {"progress": False})
    run.model.lstm.variational_dropout = 0.0
    before = run.predict(sentences())
    run.model.lstm.variational_dropout = FRACTION
    assert run.predict(sentences()) == before


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_fractions_that_are_none_are_refused(fraction: float) -> None:
    with pytest.raises(ds.ConfigError, match=f"variational_dropout is {fraction}"):
        ds.fit(sentences(), "tone", variational_dropout=fraction)
