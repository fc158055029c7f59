"""Times on the command line: their order, repeated ones and gaps."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import drystone as ds

KEYS = ["--sequence-id", "pump", "--order-by", "ts"]
FAST = ["--target", "load", "--horizon", "2", "--hidden-size", "3", "--epochs", "1", "--quiet"]


def write(path: Path, hours: dict[str, Any]) -> None:
    """Writes the load of pumps at these hours of January 2024."""
    lines = ["pump,ts,load"]
    for pump, times in hours.items():
        stamps = [str(np.datetime64("2024-01-01T00", "h") + hour).replace("T", " ") + ":00" for hour in times]
        lines += [f"{pump},{stamp},{np.sin(hour / 3):.4f}" for hour, stamp in zip(times, stamps, strict=True)]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(name="messy", autouse=True)
def _messy(tmp_path: Path) -> None:
    a = [*range(30)]
    a[4], a[5] = a[5], a[4]
    write(tmp_path / "messy.csv", {"a": [*a, 7, 7], "b": [*range(10), *range(15, 30), *range(60, 70)]})


def test_plan_says_what_the_times_are(program: Any) -> None:
    code, out, err = program("plan", "messy.csv", *KEYS, "--duplicates", "mean", "--json")
    assert (code, json.loads(out)["num_steps"]) == (0, 65)
    assert err.splitlines() == [
        "sorted the steps of each sequence by 'ts', which falls at 2 of 67 rows, first at line 7 of messy.csv",
        "'ts' repeats within a sequence at 2 of 67 steps, first 2024-01-01T07:00:00 in sequence 0 (pump 'a'), step 7, "
        "line 9 of messy.csv and line 32 of messy.csv: the mean of their numbers is taken",
        "the usual interval of 'ts' is 1:00:00: 61 of 63 intervals are about that long",
        "2 gaps of more than 1.5 times that: first 6:00:00, before sequence 1 (pump 'b'), step 10, line 44 of messy.csv; "
        "largest 1 day, 7:00:00, before sequence 1 (pump 'b'), step 25, line 59 of messy.csv",
    ]


def test_times_that_are_even_need_no_words(program: Any, tmp_path: Path) -> None:
    write(tmp_path / "even.csv", {"a": range(9), "b": range(3, 7)})
    assert program("plan", "even.csv", *KEYS)[::2] == (0, "")
    (tmp_path / "words.csv").write_text("t,v\na,1\nc,1\n")
    assert program("plan", "words.csv", "--order-by", "t")[::2] == (0, "")


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([0.1, 0.2, 0.3, 0.4, 1], "usual interval of 't' is 0.1: 3 of 4"),
        ([1, 2001, 4001, 9000], "usual interval of 't' is 2,000: 2 of 3"),
        ([1, 2001, 4001, 4002], "2 of 3 intervals are about that long\n"),
    ],
)
def test_numbers_have_intervals_too(program: Any, tmp_path: Path, times: list[Any], words: str) -> None:
    (tmp_path / "n.csv").write_text("t,v\n" + "".join(f"{time},1\n" for time in times))
    code, _, err = program("plan", "n.csv", "--order-by", "t")
    assert (code, words in err) == (0, True)


def test_a_run_reads_all_its_data_alike(program: Any, tmp_path: Path) -> None:
    code, out, err = program("fit", "messy.csv", *KEYS, "--duplicates", "first", *FAST, "--out", "run")
    assert (code, "2 gaps of more than" in err) == (0, True), err
    assert 'duplicates = "first"' in Path("run/config.toml").read_text()
    assert program("fit", "--config", "run/config.toml", "--out", "again", "--quiet")[0] == 0
    assert len({Path(run, "weights.safetensors").read_bytes() for run in ("run", "again")}) == 1
    code, again, err = program("evaluate", "run", "messy.csv")
    assert (code, "warning" in err, again.splitlines()[0] in out) == (0, False, True)
    code, out, err = program("predict", "run", "messy.csv", "--out", "p.parquet")
    assert (code, out) == (0, "65 predictions in p.parquet\n")
    assert "repeats within a sequence at 2 of 67 steps" in err
    assert pq.read_table("p.parquet").num_rows == 65
    code, _, err = program("evaluate", "run", "messy.csv", "--duplicates", "error")
    assert (code, err.count("error: 'ts' repeats")) == (2, 1)
    assert ds.read("messy.csv", sequence_id="pump", order_by="ts", duplicates="first").num_steps == 65


def test_repeated_times_are_refused_in_tables_of_lists_too(program: Any, tmp_path: Path) -> None:
    even = {"a": range(30), "b": range(3, 30)}
    write(tmp_path / "even.csv", even)
    keys = [*KEYS, "--duplicates", "error"]
    assert program("fit", "even.csv", *keys, *FAST, "--out", "run")[0] == 0
    with pytest.warns(UserWarning, match="repeats"):
        lists = ds.read("messy.csv", sequence_id="pump", order_by="ts").to_arrow().replace_schema_metadata(None)
    pq.write_table(lists, tmp_path / "lists.parquet")
    code, out, err = program("predict", "run", "lists.parquet", "--out", "p.csv")
    assert (code, out, "row 0 of lists.parquet and step 8. Leave out" in err) == (2, "", True)
    assert not Path("p.csv").exists()
    pq.write_table(lists.drop_columns(["ts", "pump"]), tmp_path / "other.parquet")
    assert program("predict", "run", "other.parquet", "--out", "p.csv")[:2] == (0, "67 predictions in p.csv\n")


BAD = [
    (["messy.csv", *KEYS, "--duplicates", "error"], "line 9 of messy.csv and line 32 of messy.csv. Leave out"),
    (["messy.csv", *KEYS, "--duplicates", "last"], "'last'"),
    (["messy.csv", "--sequence-id", "pump", "--duplicates", "first"], "needs order_by= (--order-by)"),
    (["mixed.csv", "--order-by", "ts"], "'03/01/2024' (line 3 of mixed.csv) is none of the form 2024-03-05"),
    (["hole.csv", "--order-by", "ts"], "line 3 of hole.csv has no value in column 'ts'"),
]


@pytest.mark.parametrize("verb", ["plan", "fit"])
@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_bad_times_end_with_a_sentence(
    program: Any, tmp_path: Path, verb: str, arguments: list[str], words: str
) -> None:
    (tmp_path / "mixed.csv").write_text("ts,load\n2024-01-01,1\n03/01/2024,2\n2024-01-02 10:00,3\n")
    (tmp_path / "hole.csv").write_text("ts,load\n2024-01-01,1\nn/a,2\n2024-01-03,3\n")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = program(verb, *arguments, *([] if verb == "plan" else FAST))
    assert (code, out, "Traceback" in err) == (2, "", False)
    assert words in err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.filterwarnings("default:the steps stay")
def test_steps_in_the_order_of_the_rows_are_told_of(program: Any) -> None:
    code, _, err = program("plan", "messy.csv", "--sequence-id", "pump")
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("warning: the steps stay in the order of the rows, though 'ts' falls at 2 of 67 rows")
