"""Tags that break BIO are counted, mended or refused, as chosen."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.core.errors import ConfigError, DataError
from drystone.text.chunks import chunks_of
from drystone.train import Run
from drystone.train.bio import check_bio, mended
from tests.train.tasks.test_tag import SMALL

TAGS = ("O", "B-a", "I-a", "B-b", "I-b")
BROKEN = [["O", "I-a", "I-a"], ["B-b", "I-a", "O", "B-a"], ["I-b"], ["B-a", "I-a"], ["O", "B-b"]] * 3


def tagged(tags: list[list[str]]) -> ds.Sequences:
    rng = np.random.default_rng(0)
    return ds.Sequences.from_arrays({"x": [rng.normal(size=len(each)) for each in tags], "tag": tags})


def tags_of(seqs: ds.Sequences) -> list[str]:
    return seqs.field("tag").values.tolist()


def fit(seqs: ds.Sequences, **given: Any) -> Run:
    return ds.fit(seqs, "tag", **{**SMALL, "epochs": 1, **given})


@given(tags=st.lists(st.lists(st.sampled_from(TAGS), min_size=1, max_size=7), min_size=1, max_size=5))
def test_mended_tags_are_valid_and_mark_the_same_chunks(tags: list[list[str]]) -> None:
    seqs = tagged(tags)
    found = mended(seqs, "tag")
    check_bio(found, "tag", "error")
    before, after = (chunks_of(tags_of(each), each.lengths).rows() for each in (seqs, found))
    assert before == after
    changed = [(old, new) for old, new in zip(tags_of(seqs), tags_of(found), strict=True) if old != new]
    assert all((old[0], new) == ("I", f"B{old[1:]}") for old, new in changed)


def test_a_view_goes_on_with_what_came_before() -> None:
    seqs = tagged([["B-a", "I-a", "I-a", "O", "I-b", "I-b"], ["I-a", "O"]])
    windows = seqs.windows(2, stride=1)
    assert tags_of(mended(windows, "tag")) == tags_of(mended(seqs, "tag").windows(2, stride=1))
    check_bio(windows.select([0, 1, 2]), "tag", "error")
    with pytest.raises(DataError, match=r"it is 'I-b' in .*, after 'O'"):
        check_bio(windows.select([3]), "tag", "error")


def test_they_are_counted_by_default() -> None:
    with pytest.warns(
        UserWarning, match=r"9 steps of target 'tag' break BIO; the first is 'I-a' in sequence 0, step 1, after 'O'"
    ):
        run = fit(tagged(BROKEN))
    assert run.settings.bio == "count"
    assert run.schema.outputs == {"classes": sorted(TAGS)}


def test_they_are_mended_in_training_and_in_what_is_evaluated(tmp_path: Path) -> None:
    seqs = tagged(BROKEN)
    run = fit(seqs, bio="mend", out=tmp_path / "run")
    by_hand = mended(seqs, "tag")
    same = fit(by_hand, out=tmp_path / "same")
    opened = Run.open(run.path)
    assert opened.schema.outputs == same.schema.outputs
    assert opened.evaluate(seqs) == same.evaluate(by_hand)
    assert opened.is_made_from(seqs)
    assert opened.evaluate(opened.part(seqs, "test")).loss == run.metrics[-1]["loss"]


def test_they_are_refused() -> None:
    words = r"target 'tag' breaks BIO \(and 8 more\): it is 'I-a' in sequence 0, step 1, after 'O'\. .* makes it 'B-a'"
    with pytest.raises(DataError, match=words):
        fit(tagged(BROKEN), bio="error")
    valid = tagged([["O", "B-a"], ["B-b", "I-b", "O"], ["B-a", "I-a"]] * 3)
    run = fit(valid, bio="error")
    with pytest.raises(DataError, match=r"it is 'I-b' in sequence 1, step 0, where it begins"):
        run.evaluate(tagged([["O"], ["I-b"]]))
    assert run.evaluate(tagged([["O"], ["O"]])).chunk_f1 == 0


def test_valid_tags_are_not_spoken_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_bio(tagged([["B-a", "I-a", "B-a"], ["O"]]), "tag", "count")
        check_bio(tagged([["NOUN", "I-a"]]), "tag", "count")


def test_the_setting_goes_with_bio_tags() -> None:
    words = tagged([["up", "down"], ["up", "O", "I-a"]] * 4)
    with pytest.raises(
        ConfigError, match=r"bio is 'mend', and target 'tag' holds no BIO tags: B-TYPE, I-TYPE and O\. Leave it"
    ):
        fit(words, bio="mend")
    assert mended(words, "tag") is words
    with pytest.raises(ConfigError, match="bio goes with task tag, not with classify"):
        ds.fit(words, "tag", task="classify", bio="mend")
    with pytest.raises(ConfigError, match="bio is 'drop'"):
        fit(words, bio="drop")
