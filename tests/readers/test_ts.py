"""The .ts files of the UCR/UEA archive."""

import numpy as np
import pytest

from drystone.core.errors import DataError
from drystone.readers import read

HEADER = "#about\n@problemName t\n\n@UNIVARIATE False\n@Dimensions 2\n@CLASSLABEL TRUE a b\n@DATA\n"  # lines 1 to 7


def write(folder, text):
    (folder / "s.ts").write_text(text)
    return folder / "s.ts"


def test_dimensions_become_features(tmp_path):
    seqs = read(write(tmp_path, HEADER + "1,2,?:4,5,6:a\n#note\n7: 8 :b\n"))
    np.testing.assert_array_equal(seqs[0]["x"], [[1, 4], [2, 5], [np.nan, 6]])
    np.testing.assert_array_equal(seqs[1]["x"], [[7, 8]])
    assert list(seqs.field("y").values) == ["a", "b"]
    assert seqs.origin.where(3, 1) == "line 10 of s.ts"


def test_targets_are_numbers(tmp_path):
    seqs = read(write(tmp_path, "@univariate true\n@targetLabel true\n@data\n1,2:0.5\n3:?\n"))
    np.testing.assert_array_equal(seqs.field("y").values, [0.5, np.nan])
    assert seqs.field("x").item_shape == (1,)


def test_no_labels_and_no_dimensions_in_the_header(tmp_path):
    seqs = read(write(tmp_path, "@classLabel false\n@data\n1,2:3,4\n"))
    np.testing.assert_array_equal(seqs[0]["x"], [[1, 3], [2, 4]])
    assert seqs.field_names == ("x",)


def test_sequences_of_no_steps(tmp_path):
    path = write(tmp_path, HEADER + "1:2:a\n::b\n")
    with pytest.raises(DataError, match=r"sequence 1, line 9 of s.ts has length 0"):
        read(path)
    assert list(read(path, on_empty="drop").dropped) == [1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEADER + "1:2:a\n1,2:3:b\n", "line 9 of s.ts has 2 steps in dimension 0 and 1 in dimension 1"),
        (HEADER + "1:2:3:a\n", "line 8 of s.ts has 3 dimensions; expected 2"),
        (HEADER + "1:2:c\n", "line 8 of s.ts has the label 'c'; the header lists a, b"),
        (HEADER + "1:x:a\n", "line 8 of s.ts holds 'x', where a number"),
        (HEADER + "1,:2,:a\n", "line 8 of s.ts holds '', where a number"),
        (HEADER, "no sequences"),
        ("@timestamps true\n@data\n(0,1):a\n", "time stamps"),
        ("@dimensions two\n@data\n1:a\n", "@dimensions of s.ts is 'two'"),
        ("@univariate true\n1:a\n", "line 2 of s.ts holds values before the line @data"),
        ("@\n", "no line @data"),
        ("", "no line @data"),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        read(write(tmp_path, text))


def test_other_encodings_are_refused(tmp_path):
    (tmp_path / "s.ts").write_bytes(b"#\xe8\n" + HEADER.encode() + b"1:2:a\n")
    with pytest.raises(DataError, match=r"cannot read s.ts"):
        read(tmp_path / "s.ts")
