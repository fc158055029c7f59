"""Runs that cut documents themselves: to words, characters or byte pairs."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import drystone as ds
from drystone.core.documents import documents_of
from drystone.train import Run

SMALL: dict[str, Any] = {"epochs": 2, "hidden_size": 4, "progress": False, "split_column": "part"}
KINDS = ("words", "characters", "bpe")
PARTS = ("train", "train", "train", "valid", "test")


def reviews(count: int = 40, seed: int = 0) -> ds.Sequences:
    """The label of a review follows from its words; spaces, marks and characters beyond ASCII are among them."""
    rng = np.random.default_rng(seed)
    good, bad = ("good", "naïve", "great 😀", "so-so"), ("bad", "worse.", "awful!", "no\tgood")
    labels = rng.choice(["neg", "pos"], count)
    texts = [
        " ".join(rng.choice(good if label == "pos" else bad, rng.integers(1, 6))) + f" {number}"
        for number, label in enumerate(labels)
    ]
    parts = [PARTS[number % len(PARTS)] for number in range(count)]
    return ds.Sequences.from_arrays({"review": texts}, {"label": labels, "part": parts}, text="review")


def fitted(seqs: ds.Sequences | None = None, **given: Any) -> Run:
    return ds.fit(reviews() if seqs is None else seqs, "label", **{**SMALL, **given})


def of_part(seqs: ds.Sequences, part: str) -> ds.Sequences:
    return seqs.select(np.flatnonzero(seqs.field("part").values == part))


@pytest.mark.parametrize("layout", [{}, {"layout": "packed", "batch_size": 7}], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_plain_modules_say(kind: str, layout: dict[str, Any]) -> None:
    seqs = reviews()
    run = fitted(seqs, tokens=kind, precision="64-true", **layout)
    model: Any = run.model
    vocabulary = run.schema.features.vocabulary
    assert vocabulary is not None
    assert vocabulary == ds.Vocabulary.train(documents_of(of_part(seqs, "train")), kind=vocabulary.kind)
    lstm = torch.nn.LSTM(model.input_layer.width, 4, batch_first=True, bidirectional=True, dtype=torch.float64)
    given = dict(model.lstm.named_parameters())
    expected = []
    for document in documents_of(seqs).to_pylist():
        ids = torch.from_numpy(vocabulary.encode_documents([document]).ids).long()
        vectors = functional.embedding(ids, model.input_layer.readers[0].vectors.weight)
        weights = {name: given[name] for name in dict(lstm.named_parameters())}
        output, _ = torch.func.functional_call(lstm, weights, (vectors[None],))
        expected.append(float(model.head(output[0].mean(dim=0)).softmax(dim=0)[1].detach()))
    np.testing.assert_allclose(run.predict(seqs)["p_pos"].to_numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_an_opened_run_says_the_same_and_knows_its_parts(kind: str) -> None:
    seqs = reviews()
    run = fitted(seqs, tokens=kind)
    again = Run.open(run.path)
    assert again.predict(seqs) == run.predict(seqs)
    record = next(record for record in run.metrics if record["part"] == "test")
    scores = again.evaluate(again.part(seqs, "test"))
    assert scores.loss == pytest.approx(record["loss"], rel=1e-6)
    assert scores.unknown_words == pytest.approx(again.unknown_words["test"])


def test_a_stopped_run_goes_on_with_its_tokens() -> None:
    seqs = reviews()
    whole = fitted(seqs, out="whole")
    assert ds.resume(whole.path, seqs).predict(seqs) == whole.predict(seqs)
    other = reviews(seed=1)
    broken = fitted(seqs, out="broken")
    (broken.path / "weights.safetensors").unlink()
    with pytest.raises(ds.RunError):
        ds.resume(broken.path, other)


def test_documents_are_words_unless_something_else_is_said() -> None:
    run = fitted()
    assert run.schema.features.vocabulary is not None
    assert run.schema.features.vocabulary.kind == "words"
    assert run.settings.text == "review"


def test_what_has_no_token_is_named() -> None:
    run = fitted()
    blank = ds.Sequences.from_arrays({"review": ["good", " \t "]}, text="review")
    with pytest.raises(ds.DataError, match="sequence 1 holds no words, only blanks"):
        run.predict(blank)
    words = ds.Sequences.from_arrays({"review": [["good", "bad"]]})
    with pytest.raises(ds.DataError, match="the model reads documents in 'review'"):
        run.predict(words)


def test_parts_of_documents_are_read_as_documents_but_for_those_with_a_lead() -> None:
    run, seqs = fitted(), reviews()
    assert run.predict(seqs.truncate(12)).num_rows == 40
    cut = seqs.cut(2, 1)
    with pytest.raises(ds.DataError, match="is a part of a document; words are cut from whole ones"):
        run.predict(cut)
    assert fitted(tokens="characters").predict(cut).num_rows == len(cut)


@pytest.mark.parametrize("kind", ["characters", "bpe"])
def test_only_words_are_spelled(kind: str) -> None:
    with pytest.raises(ds.ConfigError, match=f"spelling reads words letter by letter, and tokens is '{kind}'"):
        fitted(spelling=True, tokens=kind)


def test_words_of_documents_are_spelled_as_those_that_are_split_already() -> None:
    seqs = reviews()
    vocabulary = ds.Vocabulary.train(["a"], kind="words")
    split = []
    for text in documents_of(seqs).to_pylist():
        found = vocabulary.encode_documents([text])
        words = [text[start:stop] for start, stop in zip(found.starts, found.stops, strict=True)]
        split.append(np.array(words, dtype=object))
    per_sequence = {name: seqs.field(name).values for name in ("label", "part")}
    words_a_step = ds.Sequences.from_arrays({"review": split}, per_sequence)
    whole, other = fitted(seqs, spelling=True), fitted(words_a_step, spelling=True, text="review")
    assert whole.schema.features.names == ("review", "spelling of review")
    for name, weight in whole.model.state_dict().items():
        assert weight.equal(other.model.state_dict()[name]), name
    assert whole.predict(seqs) == other.predict(words_a_step)
    assert Run.open(whole.path).predict(seqs) == whole.predict(seqs)


def test_the_spelling_of_unknown_words_of_documents_counts() -> None:
    run = fitted(spelling=True)
    new = [ds.Sequences.from_arrays({"review": [f"good {word}"]}, text="review") for word in ("goody", "warful")]
    one, other = (run.predict(each)["p_pos"][0].as_py() for each in new)
    assert one != other


def test_numbers_of_documents_stand_beside_their_words() -> None:
    seqs = reviews()
    both = ds.Sequences.from_arrays(
        {"review": documents_of(seqs).to_pylist()},
        {"stars": np.arange(40.0), "label": seqs.field("label").values, "part": seqs.field("part").values},
        text="review",
    )
    run = fitted(both, features=("review", "stars"))
    assert run.schema.features.columns == ("review", "stars")
    assert run.predict(both).num_rows == 40


def test_byte_pairs_are_never_read_as_unknown() -> None:
    settings = {"tokens": "bpe", "epochs": 1, "weight_decay": 0.0, "seed": 0}
    one, other = (fitted(unknown_rate=rate, **settings).predict(reviews()) for rate in (0.0, 1.0))
    assert one == other
