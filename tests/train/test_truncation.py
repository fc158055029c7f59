"""`max_steps`: runs that read the first steps of sequences, and say what that leaves out."""

import json
from typing import Any

import pytest

import drystone as ds
from drystone.core.documents import documents_of
from drystone.train import Run
from drystone.train.truncation import Truncated
from tests.train import test_documents_as_tokens as documents
from tests.train.stopping import left_by, stopping_after
from tests.train.tasks.labelled import labelled
from tests.train.tasks.test_joint import commands
from tests.train.wordy import sentences

MOST = 3
SMALL: dict[str, Any] = {"epochs": 2, "hidden_size": 4, "progress": False}
RUNS: dict[str, tuple[ds.Sequences, dict[str, Any]]] = {
    "classify": (labelled(), {"target": "way", "features": ("x",)}),
    "regress": (labelled(), {"target": "id", "features": ("x",), "layout": "packed", "batch_size": 5}),
    "categories": (labelled(), {"target": "way", "features": ("word",)}),
    "words": (sentences(), {"target": "tone", "text": "word", "spelling": True}),
    "joint": (commands(), {"target": "tone,tag", "text": "word"}),
    "characters": (documents.reviews(), {"target": "label", "tokens": "characters"}),
}
of_what = pytest.mark.parametrize("what", RUNS)
leaves_out = pytest.mark.filterwarnings("ignore:max_steps is")


def fitted(what: str, seqs: ds.Sequences | None = None, **given: Any) -> Run:
    found, settings = RUNS[what]
    return ds.fit(found if seqs is None else seqs, **SMALL, **settings, **given)


def excess(lengths: Any, most: int = MOST) -> Truncated:
    longer = lengths[lengths > most]
    return Truncated(sequences=len(longer), steps=int((longer - most).sum()))


@leaves_out
@pytest.mark.filterwarnings("ignore:.* of a later part")
@of_what
def test_it_is_the_run_on_sequences_that_were_cut_before(what: str) -> None:
    seqs, _ = RUNS[what]
    before, now = fitted(what, seqs.truncate(MOST)), fitted(what, max_steps=MOST)
    assert left_by(now.path)[0] == left_by(before.path)[0]
    for name, weight in before.model.state_dict().items():
        assert weight.equal(now.model.state_dict()[name]), name
    assert now.schema.features.vocabulary == before.schema.features.vocabulary
    assert now.predict(seqs) == before.predict(seqs.truncate(MOST))
    assert now.evaluate(seqs).loss == before.evaluate(seqs.truncate(MOST)).loss


@leaves_out
@of_what
def test_what_is_left_out_is_told_for_each_part(what: str) -> None:
    seqs, _ = RUNS[what]
    run = Run.open(fitted(what, max_steps=MOST, valid_fraction=0.2).path)
    parts = {name: excess(run.split.sequences(seqs, name).lengths) for name in ("train", "valid", "test")}
    assert run.truncated == parts
    stated = json.loads((run.path / "statistics.json").read_text())["truncated"]
    assert stated["test"] == {"sequences": parts["test"].sequences, "steps": parts["test"].steps}
    scores = run.evaluate(run.part(seqs, "test"))
    assert scores.truncated == parts["test"]
    assert run.evaluate(seqs).truncated == excess(seqs.lengths)


@pytest.mark.parametrize("kind", ["words", "bpe"])
def test_documents_are_cut_to_tokens(kind: str) -> None:
    seqs = documents.reviews()
    train = documents_of(documents.of_part(seqs, "train"))
    whole = ds.Vocabulary.train(train, kind=kind)  # type: ignore[arg-type]
    begun = []
    for text in train.to_pylist():
        starts = whole.encode_documents([text]).starts
        begun.append(text[: starts[MOST]] if len(starts) > MOST else text)
    expected = ds.Vocabulary.train(begun, kind=kind)  # type: ignore[arg-type]
    with pytest.warns(
        UserWarning, match=r"max_steps is 3, which leaves out: train: \d+ steps of \d+ longer sequences; v"
    ):
        run = documents.fitted(tokens=kind, max_steps=MOST)
    assert run.schema.features.vocabulary == expected
    lengths = expected.encode_documents(documents_of(seqs)).lengths
    assert run.truncated["test"] == excess(lengths[seqs.field("part").values == "test"])
    with pytest.warns(UserWarning, match=f"max_steps is 3, which leaves out: these sequences: {excess(lengths)}"):
        table = run.predict(seqs)
    assert table.num_rows == len(seqs)


@leaves_out
def test_words_past_the_cut_change_nothing() -> None:
    texts = [f"{good} {number} {good}" for number, good in enumerate(["good", "bad"] * 10)]
    longer = [f"{text} word{number}" for number, text in enumerate(texts)]
    short, long = (
        ds.Sequences.from_arrays({"text": found}, {"label": ["a", "b"] * 10}, text="text") for found in (texts, longer)
    )
    before, now = ds.fit(short, "label", **SMALL), ds.fit(long, "label", max_steps=3, **SMALL)
    assert now.schema.features.vocabulary == before.schema.features.vocabulary
    assert now.predict(long) == before.predict(short)


def test_where_nothing_is_longer_nothing_is_warned_of() -> None:
    run = fitted("classify", max_steps=100)
    assert run.truncated == dict.fromkeys(("train", "test"), Truncated(sequences=0, steps=0))
    assert run.evaluate(labelled()).truncated == Truncated(sequences=0, steps=0)
    whole = fitted("classify")
    assert (whole.truncated, whole.evaluate(labelled()).truncated) == ({}, None)
    assert run.predict(labelled()) == whole.predict(labelled())


@leaves_out
def test_a_stopped_run_goes_on_with_first_steps() -> None:
    seqs, settings = RUNS["joint"]
    given = {**SMALL, **settings, "max_steps": MOST}
    whole = ds.fit(seqs, **given)
    with stopping_after(2):
        run = ds.fit(seqs, **given)
    again = ds.resume(run.path, seqs, progress=False)
    assert left_by(again.path) == left_by(whole.path)
    assert again.truncated == whole.truncated


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"task": "tag", "target": "kind"}, "max_steps goes with task classify, regress or joint, not with tag"),
        ({"task": "language-model"}, "max_steps goes with task classify, regress or joint, not with language-model"),
        ({"task": "forecast", "target": "kind"}, "max_steps goes with .*, not with forecast"),
        ({"target": "tone", "max_steps": 0}, "max_steps is 0"),
    ],
    ids=str,
)
def test_what_must_say_something_of_every_step_is_not_cut(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ds.DrystoneError, match=words):
        ds.fit(sentences(), **{"text": "word", "max_steps": MOST, **settings})


@leaves_out
def test_what_does_not_cut_is_refused() -> None:
    run = fitted("classify", max_steps=MOST, bidirectional=False)
    with pytest.raises(ds.ConfigError, match="max_steps is 3: .* streams go on after them"):
        run.predictor()
    with pytest.raises(ds.ConfigError, match="max_steps is 3: .* exported models do not cut"):
        run.export("model.torch", to="torch")
