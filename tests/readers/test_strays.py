"""A few values that are no numbers make text of a column; it is said which."""

import warnings
from pathlib import Path

import pytest

from drystone import read


def csv_of(folder: Path, values: list[str], name: str = "t.csv") -> Path:
    path = folder / name
    lines = [f"{number // 10},{value}" for number, value in enumerate(values)]
    path.write_text("\n".join(["id,x", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("strays", "words"),
    [
        (
            {3: "-"},
            r"column 'x' is text: 1 value of 40 is no number \('-'\), the first in line 5 of t\.csv\. Leave what",
        ),
        (
            {3: "-", 9: "k.A.", 11: "-"},
            r"3 values of 40 are no numbers \('-', 'k\.A\.'\), the first in line 5 of t\.csv",
        ),
    ],
)
def test_few_values_that_are_no_numbers_are_named(tmp_path: Path, strays: dict[int, str], words: str) -> None:
    values = [strays.get(number, f"{number}.5e-1") for number in range(40)]
    with pytest.warns(UserWarning, match=words):
        seqs = read(csv_of(tmp_path, values), sequence_id="id")
    assert seqs.field("x").is_text


@pytest.mark.parametrize(
    "values",
    [
        [str(number) for number in range(40)],
        [f"{number}a" for number in range(40)],
        ["up", "down"] * 20,
        [*[str(number) for number in range(30)], *(f"{number}b" for number in range(10))],
        ["1", *["-"] * 39],
        ["", *[f"{number}.5" for number in range(39)]],
    ],
)
def test_numbers_codes_and_words_say_nothing(tmp_path: Path, values: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(csv_of(tmp_path, values), sequence_id="id")
