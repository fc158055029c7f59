"""`drystone fit` with a file for each part, groups and parts by time; `drystone evaluate` on such runs."""

import signal
import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drystone as ds
from tests.cli.small import signal_after_first_epoch

FAST = ["--hidden-size", "3", "--epochs", "2", "--quiet"]
FILES = ["--valid", "v.csv", "--test", "t.csv"]
KEYS = ["--sequence-id", "id", "--order-by", "t"]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Three files of one step a row; gives the arguments of a training on them that takes no time."""
    for number, name in enumerate(("d.csv", "v.csv", "t.csv")):
        rows = [
            f"{name[0]}{pump},{40 * pump + step},{pump % 2 + step * 0.25 + number * 0.01 + pump * 0.1},{'ab'[pump % 2]}"
            for pump in range(8)
            for step in range(2 + pump % 3)
        ]
        (tmp_path / name).write_text("\n".join(["id,t,x,y", *rows]))
    return ["d.csv", "--target", "y", *KEYS, *FAST]


def test_a_file_for_each_part(program: Any, files: list[str]) -> None:
    code, out, err = program("fit", *files, *FILES)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "train 8 sequences, valid 8 sequences, test 8 sequences; features: x"
    assert lines[1].startswith("test accuracy ")
    assert "left out" not in out
    assert program("evaluate", "runs/d-1", "t.csv")[1].splitlines()[0] == lines[1]
    for data, part in (("d.csv", "train"), ("v.csv", "valid"), ("t.csv", "test")):
        for chosen in ([], ["--part", part]):
            code, out, err = program("evaluate", "runs/d-1", data, *chosen)
            assert (code, err) == (0, "")
            assert f"{part} sequences 8\n" in out
    code, out, err = program("evaluate", "runs/d-1", "d.csv", "--part", "test")
    assert (code, out) == (2, "")
    assert err == (
        "error: d.csv is the train part of runs/d-1; its test part lies elsewhere: drystone evaluate runs/d-1 t.csv\n"
    )
    assert "all sequences 8\n" in program("evaluate", "runs/d-1", "d.csv", "--part", "all")[1]
    assert program("predict", "runs/d-1", "t.csv", "--out", "p.parquet")[1] == "8 predictions in p.parquet\n"


def test_the_config_of_such_a_run_trains_it_again(program: Any, files: list[str]) -> None:
    assert program("fit", *files, *FILES)[0] == 0
    assert program("fit", "--config", "runs/d-1/config.toml", "--quiet")[::2] == (0, "")
    assert Path("runs/d-1/weights.safetensors").read_bytes() == Path("runs/d-2/weights.safetensors").read_bytes()


def test_a_run_from_memory_says_what_is_missing(program: Any, files: list[str]) -> None:
    seqs = [ds.read(name, sequence_id="id", order_by="t") for name in ("d.csv", "t.csv")]
    ds.fit(seqs[0], "y", test=seqs[1], hidden_size=3, epochs=1, progress=False, out="run")
    code, _, err = program("fit", "d.csv", "--config", "run/config.toml")
    assert code == 2
    assert "the run does not say where the sequences of its test part lie" in err
    assert "run TEST\n" in program("evaluate", "run", "d.csv", "--part", "test")[2]


def test_a_stopped_run_goes_on_with_its_files(program: Any, files: list[str]) -> None:
    with signal_after_first_epoch(signal.SIGTERM):
        assert program("fit", *files, *FILES, "--out", "run")[0] == 0
    Path("t.csv").rename("u.csv")
    code, out, err = program("fit", "--resume", "run")
    assert (code, out) == (2, "")
    assert "there is no file t.csv" in err
    assert "drystone fit DATA --valid VALID --test TEST --resume run" in err
    code, _, err = program("fit", "--resume", "run", "--test", "d.csv")
    assert (code, "not the sequences that the run was made from" in err) == (2, True)
    assert program("fit", "--resume", "run", "--test", "u.csv", "--quiet")[::2] == (0, "")


def test_built_in_data_with_files_of_ones_own(program: Any) -> None:
    seqs = ds.read("japanese-vowels")
    pq.write_table(pa.table(seqs.select(seqs.field("part").values == "test")).drop_columns(["part"]), "t.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        code, out, err = program("fit", "japanese-vowels", "--test", "t.parquet", "--batch-size", "256", *FAST)
    assert code == 0
    assert "warning: left out of the train part (japanese-vowels), since not every part has it: 'part'.\n" in err
    assert "warning: 370 sequences of a later part are equal to one of an earlier part, in all features" in err
    assert out.startswith("train 640 sequences, test 370 sequences; features: x\n")


def test_groups_and_times(program: Any, files: list[str]) -> None:
    code, out, err = program("fit", *files, "--group", "id", "--test-fraction", "0.25")
    assert (code, err) == (0, "")
    assert out.startswith("train 6 sequences, test 2 sequences; features: x\n")
    code, out, err = program("fit", *files, "--split", "time", "--test-fraction", "0.25")
    assert (code, err) == (0, "")
    assert pq.read_table("runs/d-2/split.parquet")["part"].to_pylist() == ["train"] * 6 + ["test"] * 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--valid", "gone.csv"], "there is no file gone.csv"),
        (["--test", "d.csv"], "one 'id' lies in two parts: sequence 0 (id 'd0'), line 2 of d.csv in train, sequence 8"),
        (["--test", "w.csv"], "the test part (w.csv): there is no field 'y'; the fields are: t, x, id."),
        (
            ["--test", "s.csv"],
            "field 'x': the values of the test part (s.csv) are text, and those of the train part (d.csv)",
        ),
        (
            ["--test", "t.csv", "--test-fraction", "0.2"],
            "test is 't.csv', which states the parts; leave out test_fraction",
        ),
        (["--valid", "v.csv", "--valid-fraction", "0.2"], "valid is 'v.csv', which is the validation part"),
        (["--test", "t.csv", "--split-column", "y"], "give either split_column or test"),
        (["--split", "times"], "split is 'times'"),
        (["--group", "nope"], "there is no field 'nope'"),
        (["--group", "x"], "field 'x' changes in sequence 0"),
    ],
    ids=str,
)
def test_bad_input_is_said_and_nothing_is_written(
    program: Any, files: list[str], tmp_path: Path, arguments: list[str], words: str
) -> None:
    Path("w.csv").write_text("id,t,x\nq,1,0.5\n")
    Path("s.csv").write_text("id,t,x,y\nq,1,high,a\n")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = program("fit", *files, *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert sorted(tmp_path.rglob("*")) == before
