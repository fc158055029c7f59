"""A label of each sequence and a tag at every step, by one model."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import drystone as ds
from drystone.train import Run
from tests.train.wordy import sentences

SMALL: dict[str, Any] = {"epochs": 2, "hidden_size": 4, "progress": False, "split_column": "part", "text": "word"}


def commands(count: int = 60) -> ds.Sequences:
    """Sentences with BIO tags: chunks begin at words that end in 1, and go on over those that end in 2."""
    seqs = sentences(count)
    tags = []
    for sentence in seqs:
        found: list[str] = []
        for word in sentence["word"]:
            inside = word[-1] == "2" and bool(found) and found[-1] != "O"
            found.append("B-one" if word[-1] in "13" else "I-one" if inside else "O")
        tags.append(np.array(found, dtype=object))
    per_sequence = {name: seqs.field(name).values for name in ("tone", "part")}
    return ds.Sequences.from_arrays({"word": [each["word"] for each in seqs], "tag": tags}, per_sequence)


def joint(seqs: ds.Sequences | None = None, target: str = "tone,tag", **given: Any) -> Run:
    return ds.fit(commands() if seqs is None else seqs, target, **{**SMALL, **given})


def plain(run: Run, words: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """The label's and the tags' logits of one sentence by plain modules, in float64."""
    model: Any = run.model
    ids = {token: number for number, token in enumerate(run.schema.features.vocabulary.tokens.to_pylist())}
    vectors = functional.embedding(
        torch.tensor([ids.get(word, 1) for word in words]), model.input_layer.readers[0].vectors.weight
    )
    lstm = torch.nn.LSTM(vectors.shape[1], 4, batch_first=True, bidirectional=True, dtype=torch.float64)
    given = dict(model.lstm.named_parameters())
    output, _ = torch.func.functional_call(
        lstm, {name: given[name] for name in dict(lstm.named_parameters())}, (vectors[None],)
    )
    return model.sequence_head(output[0].mean(dim=0)).detach(), model.head(output[0]).detach()


@pytest.mark.parametrize("layout", [{}, {"layout": "packed", "batch_size": 7}, {"layout": "bucketed"}], ids=str)
def test_it_says_and_loses_what_plain_modules_do(layout: dict[str, Any]) -> None:
    seqs = commands()
    run = joint(seqs, precision="64-true", **layout)
    assert run.settings.task == "joint"
    table, losses = run.predict(seqs), []
    for number, sentence in enumerate(seqs):
        label, tags = plain(run, sentence["word"].tolist())
        assert table["p_dark"][number].as_py() == pytest.approx(float(label.softmax(dim=0)[1]), rel=1e-12)
        names = np.array(["B-one", "I-one", "O"], dtype=object)
        assert table["tag"][number].as_py() == names[tags.argmax(dim=1).numpy()].tolist()
        true_label = torch.tensor(["bright", "dark"].index(seqs.field("tone")[number]))
        true_tags = torch.tensor([names.tolist().index(tag) for tag in sentence["tag"]])
        losses.append(
            float(
                functional.cross_entropy(label, true_label) + functional.cross_entropy(tags, true_tags, reduction="sum")
            )
        )
    assert run.evaluate(seqs).loss == pytest.approx(np.mean(losses), rel=1e-12)


def test_figures_are_those_of_the_predictions() -> None:
    seqs = commands()
    run = joint(seqs, target="tag,tone", epochs=5, learning_rate=0.02)
    scores: Any = run.evaluate(seqs)
    table = run.predict(seqs)
    labels = np.array(table["prediction"].to_pylist()) == seqs.field("tone").values
    said, true = table["tag"].to_pylist(), [each["tag"].tolist() for each in seqs]
    assert scores.accuracy == pytest.approx(labels.mean())
    hits = [
        one == other for left, right in zip(said, true, strict=True) for one, other in zip(left, right, strict=True)
    ]
    assert scores.tag_accuracy == pytest.approx(np.mean(hits))
    metrics = pytest.importorskip("seqeval.metrics")
    assert scores.chunk_f1 == pytest.approx(metrics.f1_score(true, said, zero_division=0))
    assert scores.steps == seqs.num_steps
    (baseline,) = scores.baselines.values()
    assert set(baseline) == {"accuracy", "f1", "tag_accuracy", "tag_f1", "chunk_f1"}
    most = max(set(hits_of(true)), key=hits_of(true).count)
    assert baseline["tag_accuracy"] == pytest.approx(hits_of(true).count(most) / seqs.num_steps)


def hits_of(true: list[list[str]]) -> list[str]:
    return [tag for sentence in true for tag in sentence]


def test_an_opened_run_says_the_same_and_knows_its_parts(tmp_path: Any) -> None:
    seqs = commands()
    run = joint(seqs)
    again = Run.open(run.path)
    assert again.predict(seqs) == run.predict(seqs)
    test = again.part(seqs, "test")
    record = next(record for record in run.metrics if record["part"] == "test")
    assert again.evaluate(test, plot=tmp_path / "pictures").loss == pytest.approx(record["loss"], rel=1e-6)
    assert (tmp_path / "pictures" / "confusion.png").exists()


def test_streams_say_both_at_every_step() -> None:
    seqs = commands()
    run = joint(seqs, bidirectional=False)
    values = run.schema.features.vocabulary.ids_of(seqs[0]["word"])[:, None]
    predictor = run.predictor()
    said = np.stack([predictor.step({"a": step.astype(float)})["a"] for step in values])
    columns = run.task.columns(said)
    table = run.predict(seqs[:1])
    assert columns["tag"] == table["tag"][0].as_py()
    assert columns["p_dark"][-1] == pytest.approx(table["p_dark"][0].as_py(), rel=1e-5)


def test_several_labels_and_several_answers_a_step() -> None:
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(length, 2)) for length in rng.integers(2, 6, 30)]
    labels = np.array([[each[:, 0].mean() > 0, len(each) > 3] for each in x])
    seqs = ds.Sequences.from_arrays({"x": x, "keys": [each > 0 for each in x]}, {"tags": labels})
    run = ds.fit(seqs, "tags,keys", task="joint", features=("x",), epochs=2, hidden_size=4, progress=False)
    scores: Any = run.evaluate(seqs)
    assert scores.tag_frame_accuracy is not None
    assert scores.micro_f1 is not None
    assert run.predict(seqs)["keys"][0].as_py()[0] == run.predict(seqs)["keys"].to_pylist()[0][0]


@pytest.mark.parametrize(
    ("target", "given", "words"),
    [
        ("tone", {"task": "joint"}, "names 1 with a value a sequence and 0 with a value a step"),
        ("word,tag", {"task": "joint", "text": None}, "target 'word,tag'|a number of each"),
        ("tone,tgas", {}, "there is no field 'tgas'"),
        ("tone,tag", {"ahead": 1}, "ahead goes with task tag, not with joint|ahead"),
        ("tone,tag", {"class_weights": "balanced"}, "class_weights goes with task"),
        ("tone,tag", {"layout": "stateful"}, "layout"),
    ],
    ids=str,
)
def test_bad_targets_and_settings_are_named(target: str, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ds.DrystoneError, match=words):
        joint(target=target, **given)


def test_numbers_at_steps_are_refused() -> None:
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(4, 2)) for _ in range(20)]
    seqs = ds.Sequences.from_arrays({"x": x, "level": [each.sum(axis=1) for each in x]}, {"way": ["a", "b"] * 10})
    with pytest.raises(ds.DataError, match="task joint learns classes or yes/no"):
        ds.fit(seqs, "way,level", features=("x",), epochs=1, progress=False)
