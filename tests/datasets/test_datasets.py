"""The built-in data."""

from pathlib import Path

import numpy as np
import pytest

from drystone import datasets
from drystone.core.errors import DataError
from drystone.readers import read

SHARED = Path(__file__).parents[3] / "shared" / "data" / "japanese_vowels"


def test_japanese_vowels():
    seqs = read("japanese-vowels")
    part, speaker = seqs.field("part").values, seqs.field("speaker").values
    assert (np.sum(part == "train"), np.sum(part == "test")) == (270, 370)
    assert set(speaker) == set("123456789")
    assert (seqs.lengths.min(), seqs.lengths.max()) == (7, 29)
    assert seqs.field("x").describe() == "float32[12]"


@pytest.mark.parametrize(("part", "file"), [("train", "JapaneseVowels_TRAIN.ts"), ("test", "JapaneseVowels_TEST.ts")])
def test_values_are_those_of_the_archive(part, file):
    if not SHARED.is_dir():
        pytest.skip(f"the .ts files are not in {SHARED}")
    original = read(SHARED / file)
    seqs = read("japanese-vowels")
    built_in = seqs.select(seqs.field("part").values == part)
    np.testing.assert_array_equal(built_in.lengths, original.lengths)
    np.testing.assert_array_equal(built_in.field("x").values, original.field("x").values.astype(np.float32))
    np.testing.assert_array_equal(built_in.field("speaker").values, original.field("y").values)


@pytest.mark.parametrize("name", datasets.names())
def test_records_fit_their_files(name):
    record, seqs = datasets.find(name), read(name)
    assert {record.target, record.split_column} <= set(seqs.sequence_columns)
    assert set(seqs.field(record.split_column).values) == {"train", "test"}
    assert datasets.path(name).stat().st_size < 500_000


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(DataError, match="no file japanese_vowels. Did you mean 'japanese-vowels'"):
        read("japanese_vowels")
    with pytest.raises(DataError, match="'vowels'; there are: japanese-vowels"):
        datasets.find("vowels")
