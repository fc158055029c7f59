"""Runs that read words: their vocabulary, unknown words, and what they say."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from torch.nn import functional

import drystone as ds
from drystone.train import Run
from drystone.train.follow.line import read_line
from tests.train.wordy import COMMON, fitted, of_part, sentences


def words_of(seqs: ds.Sequences) -> list[str]:
    return seqs.field("word").values.tolist()


def said_by_plain_modules(run: Run, words: list[str]) -> torch.Tensor:
    """One sentence by a dictionary of words, `functional.embedding`, `nn.LSTM` and the head, in float64: [steps, outputs]."""
    model: Any = run.model
    ids = {token: number for number, token in enumerate(run.schema.features.vocabulary.tokens.to_pylist())}
    found = torch.tensor([ids.get(word, 1) for word in words])
    vectors = functional.embedding(found, model.input_layer.readers[0].vectors.weight)
    lstm = torch.nn.LSTM(
        vectors.shape[1], model.lstm.hidden_size, batch_first=True, bidirectional=True, dtype=torch.float64
    )
    given = dict(model.lstm.named_parameters())
    output, _ = torch.func.functional_call(
        lstm, {name: given[name] for name in dict(lstm.named_parameters())}, (vectors[None],)
    )
    return model.head(output[0]).softmax(dim=-1)


def test_it_says_what_plain_modules_say() -> None:
    seqs = sentences()
    run = fitted("kind", seqs, precision="64-true", layout="packed", batch_size=7)
    found = run.predict(seqs)
    assert found.column_names[:4] == ["sequence", "step", "word", "prediction"]
    assert found["word"].to_pylist() == words_of(seqs)
    expected = torch.cat([said_by_plain_modules(run, document["word"].tolist()) for document in seqs]).detach()
    np.testing.assert_allclose(found["p_odd"].to_numpy(), expected[:, 1], rtol=1e-12, atol=1e-14)


def test_the_vocabulary_is_that_of_the_training_part() -> None:
    seqs = sentences()
    run = fitted("tone", seqs)
    known = Tokenizer.from_file(str(run.path / "vocabulary.json")).get_vocab()
    counts = Counter(words_of(of_part(seqs, "train")))
    vocabulary = run.schema.features.vocabulary
    assert vocabulary is not None
    assert set(vocabulary.tokens.to_pylist()) == {"<pad>", "<unk>", *counts}
    assert len(known) == len(counts) + 2
    assert len(vocabulary) - vocabulary.first_rare == sum(count == 1 for count in counts.values())


def test_the_share_of_unknown_words_is_told() -> None:
    seqs = sentences()
    run = fitted("tone", seqs)
    known = set(words_of(of_part(seqs, "train")))
    expected = {
        part: sum(word not in known for word in found) / len(found)
        for part in ("train", "valid", "test")
        if (found := words_of(of_part(seqs, part)))
    }
    assert run.unknown_words == pytest.approx(expected)
    assert run.evaluate(of_part(seqs, "test")).unknown_words == pytest.approx(expected["test"])


def test_runs_of_numbers_tell_of_no_words() -> None:
    seqs = ds.Sequences.from_arrays({"x": [[1.0], [2.0]] * 10}, {"y": ["a", "b"] * 10})
    run = ds.fit(seqs, "y", epochs=1, hidden_size=2, progress=False)
    assert (run.unknown_words, run.evaluate(seqs).unknown_words) == ({}, None)
    assert not (run.path / "vocabulary.json").exists()


@pytest.mark.filterwarnings("ignore:1 sequence holds no word")
@pytest.mark.parametrize(
    "settings", [{}, {"spelling": True}, {"embedding_size": 0}, {"lowercase": True, "min_count": 2}], ids=str
)
def test_an_opened_run_says_the_same(settings: dict[str, Any]) -> None:
    seqs = sentences()
    run = fitted("tone", seqs, **settings)
    assert Run.open(run.path).predict(seqs) == run.predict(seqs)


def test_words_are_found_where_nothing_else_can_be_read() -> None:
    seqs = sentences()
    run = fitted("kind", seqs, text=None)
    assert run.schema.features.names == ("word",)
    beside = ds.Sequences.from_arrays(
        {
            "word": [each["word"] for each in seqs],
            "x": [np.arange(len(each["word"])) + number for number, each in enumerate(seqs)],
        },
        {"tone": seqs.field("tone").values, "part": seqs.field("part").values},
    )
    assert fitted("tone", beside, text=None).schema.features.names == ("x",)
    assert fitted("tone", beside).schema.features.names == ("word",)
    assert fitted("tone", beside, features=("x", "word")).schema.features.names == ("x", "word")
    assert fitted("tone", beside, text=None, features=("word",)).schema.features.fields[0].kind == "tokens"


def test_the_spelling_of_unknown_words_counts() -> None:
    seqs = sentences()
    run = fitted("tone", seqs, spelling=True)
    assert run.schema.features.names == ("word", "spelling of word")
    new = [ds.Sequences.from_arrays({"word": [np.array([word, COMMON[0]], dtype=object)]}) for word in ("wore", "aaaa")]
    one, other = (run.predict(each)["p_dark"][0].as_py() for each in new)
    assert one != other
    plain = fitted("tone", seqs)
    one, other = (plain.predict(each)["p_dark"][0].as_py() for each in new)
    assert one == other


def test_rare_words_teach_the_unknown_one() -> None:
    seqs = sentences()
    vectors = {
        rate: fitted("tone", seqs, unknown_rate=rate, weight_decay=0.0, epochs=1)
        .model.input_layer.readers[0]
        .vectors.weight
        for rate in (0.0, 1.0)
    }
    started = fitted("tone", seqs, epochs=1, updates=1, learning_rate=1e-30).model.input_layer.readers[0].vectors.weight
    assert torch.equal(vectors[0.0][1], started[1])
    assert not torch.equal(vectors[1.0][1], started[1])
    assert torch.equal(vectors[1.0][0], torch.zeros_like(started[0]))


def test_streams_and_lines_read_words_too() -> None:
    seqs = sentences()
    run = fitted("kind", seqs, bidirectional=False, spelling=True)
    features = run.schema.features
    line = read_line(json.dumps({"stream": "a", "word": words_of(seqs[:1])}).encode(), features)
    predictor = run.predictor()
    said = np.stack([predictor.step({"a": step})["a"] for step in line.values])
    np.testing.assert_allclose(said[:, 1], run.predict(seqs[:1])["p_odd"].to_numpy(), rtol=1e-5)
    with pytest.raises(ds.DataError, match="field 'word' is a number; give a word"):
        read_line(b'{"stream": "a", "word": 3}', features)


def test_sentences_without_a_known_word_are_told_of() -> None:
    run = fitted("tone")
    new = ds.Sequences.from_arrays(
        {"word": [np.array([COMMON[0], "new"], dtype=object), np.array(["new"], dtype=object)]}
    )
    with pytest.warns(UserWarning, match=r"1 sequence holds no word of 'word' that training saw, the first sequence 1"):
        run.predict(new)


def test_missing_words_are_named_or_unknown() -> None:
    seqs = sentences()
    words = [each["word"].copy() for each in seqs]
    words[3][1] = None
    per_sequence = {name: seqs.field(name).values for name in ("tone", "part")}
    broken = ds.Sequences.from_arrays({"word": words}, per_sequence)
    with pytest.raises(ds.DataError, match="field 'word' is missing in sequence 3, step 1"):
        fitted("tone", broken)
    run = fitted("tone", broken, missing="indicator")
    empty = ds.Sequences.from_arrays({"word": [np.array([None, COMMON[1]], dtype=object)]})
    assert run.predict(empty).num_rows == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"text": "wrod"}, "text is 'wrod', which is no feature|there is no field 'wrod'"),
        ({"text": "tone"}, "text is 'tone'"),
        ({"vocabulary_size": 2}, "vocabulary_size is 2: Input should be greater than or equal to 3"),
        ({"min_count": 1000}, "no token"),
        ({"unknown_rate": 1.5}, "unknown_rate is 1.5"),
    ],
    ids=str,
)
def test_bad_settings_are_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ds.DrystoneError, match=words):
        fitted("kind", **settings)


def test_of_two_texts_one_must_be_named() -> None:
    seqs = sentences()
    words = [each["word"] for each in seqs]
    both = ds.Sequences.from_arrays({"word": words, "lemma": words}, {"tone": seqs.field("tone").values})
    with pytest.raises(ds.DataError, match=r"'word', 'lemma' hold text of many values; say with text="):
        ds.fit(both, "tone", progress=False)


def test_other_sequences_do_not_resume_with_a_vocabulary_that_was_changed() -> None:
    run = fitted("tone")
    (run.path / "vocabulary.json").unlink()
    with pytest.raises(ds.RunError, match=r"vocabulary\.json is missing"):
        Run.open(run.path)
