"""The F1 of chunks of taggers of BIO tags: that of `seqeval`, in every layout."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score

import drystone as ds
from drystone.core.errors import ConfigError
from drystone.core.layouts import Layout
from drystone.train import EpochEnded, Evaluator, Outcome, Recipe, Run, Trainer
from drystone.train.loop.totals import Totals
from drystone.train.tasks.outputs.chunk_f1 import ChunkF1
from tests.train.tasks import test_tag
from tests.train.tasks.test_tag import LAYOUTS, LENGTHS, SMALL

TAGS = ("O", "B-a", "I-a", "B-b", "I-b")


def tagged(lengths: tuple[int, ...] = LENGTHS, seed: int = 0) -> ds.Sequences:
    """Tags that are valid BIO, each with a vector of its own, blurred."""
    rng = np.random.default_rng(seed)
    tags = []
    for length in lengths:
        found = ["O"]
        for number in rng.integers(len(TAGS), size=length):
            kind = TAGS[number]
            found.append(f"B-{kind[2:]}" if kind[0] == "I" and found[-1][2:] != kind[2:] else kind)
        tags.append(np.array(found[1:], dtype=object))
    x = [np.eye(len(TAGS))[[TAGS.index(tag) for tag in each]] + rng.normal(size=(len(each), 5)) / 2 for each in tags]
    return ds.Sequences.from_arrays({"x": x, "tag": tags})


def in_sentences(tags: list[str], seqs: ds.Sequences) -> list[list[str]]:
    return [part.tolist() for part in np.split(np.array(tags, dtype=object), np.cumsum(seqs.lengths)[:-1])]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Run]:
    """Reading in both directions, and in one."""
    given: dict[str, Any] = {**SMALL, "epochs": 6, "learning_rate": 0.05, "precision": "64-true", "valid_fraction": 0.1}
    folder = tmp_path_factory.mktemp("runs")
    data = tagged((9,) * 40)
    return {both: ds.fit(data, "tag", out=folder / str(both), bidirectional=both, **given) for both in (True, False)}


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_it_is_that_of_seqeval_in_every_layout(runs: dict[bool, Run], layout: Layout) -> None:
    run, seqs = runs[not layout.carries], tagged(seed=1)
    laid_out = run.task.to_train_on(seqs)
    loader = ds.Loader(laid_out, layout, fields=run.task.fields(laid_out))
    figures = Evaluator(run.task.objective(laid_out), loader, run.task.metrics()).figures(run.model)
    said, true = run.predict(seqs)["prediction"].to_pylist(), seqs.field("tag").values.tolist()
    expected = f1_score(in_sentences(true, seqs), in_sentences(said, seqs))
    assert 0.2 < expected < 1
    assert figures["chunk_f1"] == pytest.approx(expected, rel=1e-12)
    assert run.evaluate(seqs).chunk_f1 == pytest.approx(expected, rel=1e-12)


def test_it_stands_beside_the_accuracy(runs: dict[bool, Run]) -> None:
    run, seqs = runs[True], tagged(seed=2)
    records = [record for record in run.metrics if record["part"] in ("train", "valid", "test")]
    assert all(0 <= record["chunk_f1"] <= 1 for record in records)
    scores = run.evaluate(seqs)
    assert scores.baselines["majority class"]["chunk_f1"] == baseline_of(run, seqs)
    lines = run.task.in_words({"loss": scores.loss, "accuracy": scores.accuracy, "chunk_f1": scores.chunk_f1})
    assert [line.split()[0] for line in lines] == ["loss", "accuracy", "chunk_f1"]


def baseline_of(run: Run, seqs: ds.Sequences) -> float:
    train = run.split.sequences(tagged((9,) * 40), "train").field("tag").values.tolist()
    most = max(set(train), key=train.count)
    true = in_sentences(seqs.field("tag").values.tolist(), seqs)
    return float(f1_score(true, [[most] * len(sentence) for sentence in true], zero_division=0))


def test_other_classes_have_none() -> None:
    seqs = test_tag.tagged()
    run = test_tag.tag("word", seqs)
    assert run.evaluate(seqs).chunk_f1 is None
    assert "chunk_f1" not in run.metrics[-1]


@given(data=st.data(), lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_it_takes_steps_in_any_order_and_number(data: st.DataObject, lengths: list[int]) -> None:
    total = sum(lengths)
    tags = st.lists(st.integers(0, len(TAGS) - 1), min_size=total, max_size=total)
    said, true = (torch.tensor(data.draw(tags)) for _ in range(2))
    places = torch.tensor([(sequence, step) for sequence, length in enumerate(lengths) for step in range(length)])
    whole, parts = ChunkF1(TAGS), ChunkF1(TAGS)
    whole.update(torch.eye(len(TAGS))[said], true, places)
    order = torch.tensor(data.draw(st.permutations(range(total))))
    for some in order.split(data.draw(st.integers(1, 4))):
        parts.update(said[some], true[some], places[some])
    assert parts.counts() == whole.counts()


def test_a_chunk_ends_where_the_next_step_was_not_scored() -> None:
    metric = ChunkF1(TAGS)
    places = torch.tensor([[0, 0], [0, 1], [0, 3]])
    metric.update(torch.tensor([1, 2, 2]), torch.tensor([1, 2, 2]), places)
    assert metric.counts().true == 2


def test_epochs_of_training_have_it_and_go_on_where_they_count(runs: dict[bool, Run]) -> None:
    """Stateful rows: chunks cross batches, and a checkpoint lies in the middle of some."""
    run, seqs = runs[False], tagged(seed=3)
    laid_out = run.task.to_train_on(seqs)

    def trainer() -> Trainer:
        loader = ds.Loader(laid_out, ds.Stateful(rows=2, steps=3), fields=run.task.fields(laid_out))
        recipe = Recipe(epochs=2, learning_rate=1e-9)
        return Trainer(
            run.task.new_model().double(), loader, run.task.objective(laid_out), recipe, metrics=run.task.metrics()
        )

    def figures(trained: Trainer) -> list[float]:
        return [event.figures["chunk_f1"] for event in trained.run() if isinstance(event, EpochEnded)]

    torch.manual_seed(0)
    first = trainer()
    first.model.load_state_dict(run.model.state_dict())
    states = []
    found = []
    for event in first.run():
        if isinstance(event, EpochEnded):
            found.append(event.figures["chunk_f1"])
        first._totals._update_metrics()  # as if many steps had waited
        states.append(first.state_dict())
    expected = run.evaluate(seqs).chunk_f1
    assert found == pytest.approx([expected, expected], rel=1e-12)
    second = trainer()
    second.load_state_dict(states[4])
    assert figures(second) == pytest.approx(found, rel=1e-12)


def test_an_objective_without_cells_is_refused() -> None:
    seqs = tagged((2, 1))
    totals = Totals({"chunk_f1": ChunkF1(TAGS)}, torch.device("cpu"))
    outcome = Outcome(loss=torch.zeros(()), weight=3, predictions=torch.zeros(3), targets=torch.zeros(3))
    batch = next(iter(ds.torch.batches(ds.Loader(seqs, ds.Padded(2)))))
    with pytest.raises(ConfigError, match=r"metrics \(chunk_f1\) need Outcome\(\.\.\., cells=\) of the objective"):
        totals.add(batch, outcome)
