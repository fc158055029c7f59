"""The command line: what it prints, what it writes, and how it refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

import drystone as ds
from drystone import native

FAST = ["--epochs", "1", "--hidden-size", "4", "--quiet"]


def write_vowels(path: Path) -> ds.Sequences:
    """A user's own file: list columns, and no word of a split."""
    seqs = ds.read("japanese-vowels")
    seqs = seqs.select(np.arange(0, len(seqs), 4))
    table = pa.table(seqs).drop_columns(["part"])
    pq.write_table(table, path)
    return seqs


def test_fit_evaluate_predict_on_the_built_in_data(program: Any) -> None:
    code, out, err = program("fit", "japanese-vowels", *FAST)
    assert code == 0
    assert err == "settings of this data set, unless options say otherwise: noise=1.25\n"
    lines = out.splitlines()
    assert lines[0] == "train 270 sequences, test 370 sequences; features: x"
    assert lines[1].startswith("test accuracy 0.")
    assert lines[1].endswith("  (majority class: 0.084)")
    assert lines[2] == "run folder runs/japanese-vowels-1"
    code, out, _ = program("evaluate", "runs/japanese-vowels-1", "japanese-vowels")
    assert code == 0
    assert out.splitlines()[0] == lines[1]
    assert "test sequences 370" in out
    code, out, _ = program("evaluate", "runs/japanese-vowels-1", "japanese-vowels", "--part", "train")
    assert "train sequences 270" in out
    code, out, _ = program("evaluate", "runs/japanese-vowels-1", "japanese-vowels", "--plot", "drawn")
    assert (code, [file.name for file in Path("drawn").iterdir()]) == (0, ["confusion.png"])
    code, out, err = program("evaluate", "runs/japanese-vowels-1", "japanese-vowels", "--plot", "drawn")
    assert (code, out, "drawn holds confusion.png" in err) == (2, "", True)
    code, out, _ = program("predict", "runs/japanese-vowels-1", "japanese-vowels", "--out", "preds.parquet")
    assert (code, out) == (0, "640 predictions in preds.parquet\n")
    table = pq.read_table("preds.parquet")
    assert table["sequence"].to_pylist() == list(range(640))
    assert [name for name in table.column_names if name.startswith("p_")] == [f"p_{number}" for number in range(1, 10)]
    code, _, err = program("predict", "runs/japanese-vowels-1", "japanese-vowels", "--out", "preds.parquet")
    assert code == 2
    assert "preds.parquet exists" in err
    code, _, err = program("predict", "runs/japanese-vowels-1", "japanese-vowels", "--out", "preds.xlsx")
    assert (code, "should end in .parquet or .csv" in err) == (2, True)
    code, _, _ = program("predict", "runs/japanese-vowels-1", "japanese-vowels", "--out", "preds.csv")
    assert csv.read_csv("preds.csv")["prediction"].to_pylist() == [
        int(name) for name in table["prediction"].to_pylist()
    ]


def test_a_file_of_ones_own(program: Any, tmp_path: Path) -> None:
    write_vowels(tmp_path / "my.parquet")
    code, out, _ = program("fit", "my.parquet", "--target", "speaker", *FAST)
    assert code == 0
    assert "run folder runs/my-1" in out
    split = pq.read_table("runs/my-1/split.parquet")
    assert split["part"].to_pylist().count("test") == 32
    code, out, _ = program("evaluate", "runs/my-1", "my.parquet")
    assert "test sequences 32" in out
    code, out, err = program("evaluate", "runs/my-1", "japanese-vowels")
    assert "not the data that runs/my-1 was made from" in err
    assert "sequences 640" in out
    assert not out.startswith("test")
    code, _, err = program("evaluate", "runs/my-1", "japanese-vowels", "--part", "test")
    assert (code, "Leave out --part" in err) == (2, True)
    code, _, err = program("evaluate", "runs/my-1", "my.parquet", "--part", "valid")
    assert (code, "has no valid part" in err) == (2, True)


def test_one_step_a_row_with_ids(program: Any, tmp_path: Path) -> None:
    seqs = ds.read("japanese-vowels")[::16]
    rows = ["pump;time;a;b;label"]
    for number, found in enumerate(seqs):
        rows += [f"p{number};{k};{x[0]};{x[1]};{found['speaker']}" for k, x in enumerate(found["x"])]
    (tmp_path / "steps.csv").write_text("\n".join(row.replace(";", ",") for row in rows))
    keys = ["--sequence-id", "pump", "--order-by", "time"]
    code, out, _ = program("fit", "steps.csv", "--target", "label", *keys, *FAST)
    assert code == 0
    assert "features: a, b\n" in out
    code, out, _ = program(
        "fit", "steps.csv", "--target", "label", *keys, *FAST, "--features", " b ", "--features", "a"
    )
    assert "features: b, a\n" in out
    code, _, _ = program("predict", "runs/steps-1", "steps.csv", "--out", "p.parquet")
    assert code == 0
    assert pq.read_table("p.parquet")["pump"].to_pylist() == [f"p{number}" for number in range(len(seqs))]
    lists = pa.table({"a": [[0.1, 0.2]], "b": [[0.3, 0.4]]})
    pq.write_table(lists, "lists.parquet")
    code, out, _ = program("predict", "runs/steps-1", "lists.parquet", "--out", "q.parquet")
    assert (code, out) == (0, "1 predictions in q.parquet\n")
    broken = rows.copy()
    broken[7] = broken[7].replace(broken[7].split(";")[2], "nan", 1)
    (tmp_path / "broken.csv").write_text("\n".join(row.replace(";", ",") for row in broken))
    code, _, err = program("fit", "broken.csv", "--target", "label", *keys, *FAST)
    assert code == 2
    assert "column 'a' is nan in sequence 0 (pump 'p0'), step 6, line 8 of broken.csv" in err


def test_empty_sequences(program: Any, tmp_path: Path) -> None:
    table = pa.table({"x": [[1.0, 2.0], [], [3.0], [4.0], [5.0]], "y": ["a", "b", "b", "a", "b"]})
    pq.write_table(table, tmp_path / "e.parquet")
    code, _, err = program("fit", "e.parquet", "--target", "y", *FAST)
    assert code == 2
    assert "sequence 1, row 1 of e.parquet has length 0" in err
    code, _, err = program("fit", "e.parquet", "--target", "y", "--drop-empty", "--test-fraction", "0.25", *FAST)
    assert code == 0
    assert "dropped 1 empty sequence: 1" in err


BAD = [
    (["fit", "japanese-vowel"], "Did you mean 'japanese-vowels'"),
    (["fit", "my.parqet", "--target", "speaker"], "no file my.parqet. Did you mean 'my.parquet'"),
    (["fit", "my.parquet"], "--target; the fields are: x, speaker"),
    (["fit", "my.parquet", "--target", "label"], "no field 'label'; the fields are: x, speaker"),
    (["fit", "cut.parquet", "--target", "speaker"], "cut off or damaged"),
    (["fit", "my.parquet", "--target", "speaker", "--layout", "bucketed", "--cells", "20"], "lengths["),
    (["fit", "my.parquet", "--target", "speaker", "--out", "there"], "there exists"),
    (["fit", "my.parquet", "--target", "speaker", "--layuot", "packed"], "--layout"),
    (["fit", "my.parquet", "--target", "speaker", "--epochs", "many"], "--epochs"),
    (["fit", "notes.md", "--target", "speaker"], "known endings"),
    (["fit", "my.parquet", "--target", "speaker", "--layout", "piled"], "layout is 'piled': Input should be 'padded'"),
    (["fit", "my.parquet", "--target", "speaker", "--rows", "8", "--steps", "64"], "rows goes with layout packed"),
    (["fit", "my.parquet", "--target", "speaker", "--patience", "3"], "patience needs a validation part"),
    (["fit", "japanese-vowels", "--patience", "3"], "no sequence has \"valid\" in 'part'"),
    (["fit", "japanese-vowels", "--test-fraction", "0.2"], "split_column is 'part', which states the parts"),
    (["fit", "--quiet"], "say what to train on: drystone fit DATA"),
    (["evaluate", "nowhere", "my.parquet"], "no run folder nowhere"),
    (["predict", "nowhere", "my.parquet", "--out", "p.parquet"], "no run folder nowhere"),
    (["predict", "nowhere", "my.parquet", "--out", "gone/p.parquet"], "no folder gone"),
    (["tran", "my.parquet"], "tran"),
]


@pytest.mark.parametrize(
    ("arguments", "words"), BAD, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_bad_input_ends_with_a_sentence_and_writes_nothing(
    program: Any, tmp_path: Path, arguments: list[str], words: str
) -> None:
    write_vowels(tmp_path / "my.parquet")
    whole = (tmp_path / "my.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "config.toml").write_text("")
    (tmp_path / "notes.md").write_text("hello")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = program(*arguments)
    assert code == 2
    assert words in err
    assert "Traceback" not in err
    assert out == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_help_and_version(program: Any) -> None:
    code, out, _ = program("--version")
    assert (code, out) == (0, f"drystone 0.1.0 (native core: {native.describe()})\n")
    for verb in ("fit", "evaluate", "predict"):
        code, out, _ = program(verb, "--help")
        assert code == 0
        assert f"drystone {verb} " in out


@pytest.mark.filterwarnings("always")
def test_a_warning_is_one_sentence(program: Any, tmp_path: Path) -> None:
    (tmp_path / "ties.csv").write_text("t,x\n1,2\n1,3\n")
    code, _, err = program("plan", "ties.csv", "--order-by", "t")
    assert code == 0
    assert err.startswith("warning: 't' repeats within a sequence at 1 of 2 steps")
    assert "steps.py" not in err
