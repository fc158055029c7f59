"""Language models: every token once, from all of its document before it."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import drystone as ds
from drystone.core.documents import documents_of
from drystone.torch.language import Sampling, TiedHead
from drystone.train import Run
from drystone.train.generate import generate

SMALL: dict[str, Any] = {
    "task": "language-model",
    "epochs": 2,
    "hidden_size": 5,
    "progress": False,
    "rows": 4,
    "steps": 6,
}
WORDS = ("to", "be", "or", "not", "naïve", "😀", "end.")


def documents(count: int = 20, seed: int = 0) -> ds.Sequences:
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS, rng.integers(1, 9))) + f" {number}" for number in range(count)]
    parts = [("train", "train", "train", "valid", "test")[number % 5] for number in range(count)]
    return ds.Sequences.from_arrays({"text": texts}, {"part": parts}, text="text")


def modelled(seqs: ds.Sequences | None = None, **given: Any) -> Run:
    settings = {"split_column": "part", **SMALL, **given}
    return ds.fit(documents() if seqs is None else seqs, **{k: v for k, v in settings.items() if v is not None})


def plain_losses(run: Run, ids: Any) -> torch.Tensor:
    """The negative log-likelihood of each token of one document, by plain modules in float64."""
    model: Any = run.model
    ids = torch.as_tensor(np.asarray(ids)).long()
    vectors = functional.embedding(ids, model.input_layer.readers[0].vectors.weight)
    begin = torch.zeros_like(vectors[:1])
    lstm = torch.nn.LSTM(vectors.shape[1], model.lstm.hidden_size, batch_first=True, dtype=torch.float64)
    given = dict(model.lstm.named_parameters())
    weights = {name: given[name] for name in dict(lstm.named_parameters())}
    output, _ = torch.func.functional_call(lstm, weights, (torch.cat([begin, vectors[:-1]])[None],))
    return functional.cross_entropy(scores_of(model, output[0]), ids, reduction="none").detach()


def scores_of(model: Any, output: torch.Tensor) -> torch.Tensor:
    if not isinstance(model.head, TiedHead):
        return model.head(output)
    narrowed = model.head.narrowed
    size = output @ narrowed.weight.T if isinstance(narrowed, torch.nn.Linear) else output
    return size @ model.input_layer.readers[0].vectors.weight.T + model.head.bias


@pytest.mark.parametrize(
    "given",
    [
        {"tokens": "characters"},
        {"tokens": "words", "layout": "packed", "rows": None, "steps": None, "batch_size": 3},
        {"tokens": "bpe", "layout": "padded", "rows": None, "steps": None},
        {"tokens": "characters", "tied": True, "embedding_size": 5, "weight_dropout": 0.3},
        {"tokens": "words", "tied": True},
    ],
    ids=str,
)
def test_every_token_is_scored_once_as_plain_modules_do(given: dict[str, Any]) -> None:
    seqs = documents()
    run = modelled(seqs, precision="64-true", **given)
    task: Any = run.task
    expected = [
        plain_losses(run, task.vocabulary.encode_documents([text]).ids) for text in documents_of(seqs).to_pylist()
    ]
    table = run.predict(seqs)
    np.testing.assert_allclose(table["loss"].to_numpy(), [float(each.mean()) for each in expected], rtol=1e-12)
    np.testing.assert_allclose(table["perplexity"].to_numpy(), np.exp(table["loss"].to_numpy()), rtol=1e-12)
    assert table["tokens"].to_pylist() == [len(each) for each in expected]
    scores: Any = run.evaluate(seqs)
    whole = torch.cat(expected)
    assert scores.tokens == len(whole)
    assert scores.loss == pytest.approx(float(whole.mean()), rel=1e-12)
    assert scores.perplexity == pytest.approx(float(whole.mean().exp()), rel=1e-12)


def test_words_that_are_split_already_are_foretold_too() -> None:
    words = [text.split() for text in documents_of(documents()).to_pylist()]
    seqs = ds.Sequences.from_arrays({"word": words}, {"part": documents().field("part").values})
    run = modelled(seqs, text="word", precision="64-true")
    task: Any = run.task
    expected = float(plain_losses(run, task.vocabulary.ids_of(words[0])).mean())
    assert run.predict(seqs)["loss"][0].as_py() == pytest.approx(expected, rel=1e-12)


def test_the_share_of_tokens_is_the_baseline() -> None:
    seqs = documents()
    run = modelled(seqs, tokens="characters")
    train = "".join(documents_of(seqs.select(np.flatnonzero(seqs.field("part").values == "train"))).to_pylist())
    task: Any = run.task
    counts = np.bincount(task.vocabulary.encode_documents([train]).ids, minlength=len(task.vocabulary)) + 0.5
    ids = task.vocabulary.encode_documents(["".join(documents_of(seqs).to_pylist())]).ids
    expected = -np.log(counts / counts.sum())[ids].mean()
    assert run.evaluate(seqs).baselines["unigram"]["loss"] == pytest.approx(expected)


@pytest.mark.parametrize("tokens", ["characters", "words", "bpe"])
def test_one_document_is_split_by_time_and_each_part_is_read_as_one(tokens: str) -> None:
    text = " ".join(documents_of(documents(60)).to_pylist())
    seqs = ds.Sequences.from_arrays({"text": [text]}, text="text")
    run = modelled(seqs, tokens=tokens, split_column=None, valid_fraction=0.1, test_fraction=0.1, precision="64-true")
    again = Run.open(run.path)
    test = again.part(seqs, "test")
    record = next(record for record in run.metrics if record["part"] == "test")
    assert again.evaluate(test).loss == pytest.approx(record["loss"], rel=1e-9)
    task: Any = run.task
    (part,) = documents_of(test).to_pylist()
    assert text.endswith(part)
    expected = float(plain_losses(run, task.vocabulary.encode_documents([part]).ids).mean())
    assert record["loss"] == pytest.approx(expected, rel=1e-9)
    assert set(documents_of(again.part(seqs, "train")).to_pylist()) == {
        text[: len(documents_of(again.part(seqs, "train"))[0].as_py())]
    }


def test_joined_documents_are_one() -> None:
    seqs = documents()
    joined = seqs.join()
    run = modelled(joined, tokens="words", split_column=None, test_fraction=0.2, precision="64-true")
    task: Any = run.task
    (text,) = documents_of(joined).to_pylist()
    assert text == "".join(documents_of(seqs).to_pylist())
    expected = float(plain_losses(run, task.vocabulary.encode_documents([text]).ids).mean())
    assert run.predict(joined)["loss"][0].as_py() == pytest.approx(expected, rel=1e-12)


def test_an_opened_run_says_the_same_and_keeps_its_ties() -> None:
    seqs = documents()
    run = modelled(seqs, tokens="characters", tied=True, embedding_size=5)
    again = Run.open(run.path)
    model: Any = again.model
    assert model.head.weight is model.input_layer.readers[0].vectors.weight
    assert not torch.equal(model.head.weight, torch.zeros_like(model.head.weight))
    assert again.predict(seqs) == run.predict(seqs)


def test_text_goes_on_as_the_likeliest_tokens_do() -> None:
    run = modelled(tokens="characters", epochs=5, learning_rate=0.05)
    task: Any = run.task
    said = "".join(generate(run, "to b", 12, sampling=Sampling(temperature=0.0)))
    assert len(said) == 12
    text = "to b"
    for character in said:
        ids = task.vocabulary.encode_documents([text]).ids
        x = torch.tensor([[task.begin, *ids.tolist()]], dtype=torch.float64)[:, :, None]
        with torch.inference_mode():
            found = run.model.advance(x)[0][0, -1, 2:]
        assert task.vocabulary.tokens_of([2 + int(found.argmax())]) == [character]
        text += character


@pytest.mark.parametrize("tokens", ["characters", "words", "bpe"])
def test_the_same_seed_gives_the_same_text(tokens: str) -> None:
    run = modelled(tokens=tokens)
    one, same, other = ("".join(generate(run, "to be", 20, seed=seed)) for seed in (3, 3, 4))
    assert one == same != other
    assert "<unk>" not in one
    assert one.encode()


def test_unknown_characters_of_a_prompt_are_told_of() -> None:
    run = modelled(tokens="characters")
    with pytest.warns(UserWarning, match="1 token of the prompt was not seen in training"):
        "".join(generate(run, "to §", 3, seed=0))


def test_only_language_models_go_on() -> None:
    seqs = ds.Sequences.from_arrays({"x": [[1.0], [2.0]] * 10}, {"y": ["a", "b"] * 10})
    run = ds.fit(seqs, "y", epochs=1, hidden_size=2, progress=False)
    with pytest.raises(ds.ConfigError, match="was trained to classify; text goes on only from a language-model"):
        generate(run, "a", 3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bidirectional": True}, "a backward direction would read what is to be foretold"),
        ({"target": "part"}, "target 'part' is text a sequence; a language model learns text"),
        ({"pooling": "max"}, "pooling goes with task classify, regress or joint, not with language-model"),
        ({"spelling": True}, "spelling is on: a language model reads tokens as they are"),
    ],
    ids=str,
)
def test_bad_settings_are_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ds.DrystoneError, match=words):
        modelled(**given)
