"""`drystone plan`: its table, its advice, its picture, and how it refuses."""

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import drystone as ds
from drystone.cli.advice import Facts, advice
from drystone.cli.busy import busy
from drystone.cli.layouts import Layouts, Sizes, compared, plan_or_problem
from tests.contract import strategies

LAYOUTS = ["Padded", "Bucketed", "Packed", "Packed", "Stateful"]


@pytest.fixture(name="plan")
def plan_of(program: Any) -> Any:
    """Runs `drystone plan`."""
    return partial(program, "plan")


def seqs_of(lengths: Any) -> ds.Sequences:
    total = int(np.sum(lengths))
    return ds.Sequences.from_ragged(np.append(0, np.cumsum(lengths)), per_step={"x": np.zeros(total, np.float32)})


def facts_of(lengths: Any, **sizes: int) -> Facts:
    seqs = seqs_of(lengths)
    layouts = Layouts.of(seqs.lengths, Sizes(**sizes))
    found = {
        kind: compared(layout, plan_or_problem(layout, seqs.lengths, 0), seqs)
        for kind, layout in layouts.by_kind().items()
    }
    return Facts(lengths=seqs.lengths, batch_size=layouts.padded.batch_size, **found)


def advice_on(lengths: Any, **sizes: int) -> str:
    return "\n".join(advice(facts_of(lengths, **sizes)))


def write(path: Path, lengths: list[int], **others: Any) -> None:
    pq.write_table(pa.table({"x": [[0.0] * length for length in lengths], **others}), path)


def test_a_table_of_all_layouts_and_advice(plan: Any) -> None:
    code, out, err = plan("japanese-vowels")
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert words.startswith(
        "japanese-vowels: 640 sequences of 7 to 29 steps, 9,961 together; half have up to 15, 90% up to 21, 99% up to 25 "
        "layout batches padding cells shapes largest memory "
    )
    for name in ("Padded(batch_size=32) 20 34.5% 15,200 7 32 × 29", "Packed(rows=8, steps=64)", "Packed(sequences=32)"):
        assert name in words
    assert "- batch_size=32 makes 20 updates an epoch." in words
    assert max(map(len, out.splitlines())) <= 80


def test_nothing_is_cut_off_in_a_narrow_terminal(plan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (30, 60, 72, 80):
        monkeypatch.setenv("COLUMNS", str(width))
        code, out, _ = plan("japanese-vowels")
        assert code == 0
        for figure in ("20", "34.5%", "15,200", "7", "32 × 29", "45.1 kB"):
            assert figure in " ".join(out.split())
        assert width < 40 or max(map(len, out.splitlines())) <= width


def test_what_the_terminal_cannot_show_is_replaced(tmp_path: Path) -> None:
    run = [sys.executable, "-m", "drystone", "plan", "japanese-vowels"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "32 ? 29" in done.stdout


def test_json_is_one_object_with_the_figures_of_the_plans(plan: Any) -> None:
    code, out, err = plan("japanese-vowels", "--json", "--batch-size", "20", "--seed", "3")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["num_sequences"], found["num_steps"]) == (640, 9961)
    assert found["lengths"] == {"min": 7, "p50": 15, "p90": 21, "p99": 25, "max": 29}
    assert [one["layout"] for one in found["layouts"]] == LAYOUTS
    seqs = ds.read("japanese-vowels")
    for one in found["layouts"]:
        layout = getattr(ds, one["layout"])(**one["arguments"])
        plan = layout.plan(seqs.lengths, seed=3)
        assert plan.summary().to_dict().items() <= one.items()
        batches = (ds.collate(seqs, plan, number) for number in range(plan.num_batches))
        largest = max(
            sum(field.nbytes for field in batch.step_fields.values())
            + sum(field.nbytes for field in batch.span_fields.values())
            for batch in batches
        )
        assert one["largest_batch_bytes"] == largest
    assert found["advice"]


def test_sizes_of_ones_own(plan: Any) -> None:
    sizes = ["--batch-size", "10", "--cells", "300", "--num-buckets", "4", "--rows", "5", "--steps", "40"]
    code, out, _ = plan("japanese-vowels", "--json", *sizes)
    assert code == 0
    assert [getattr(ds, one["layout"])(**one["arguments"]) for one in json.loads(out)["layouts"]] == [
        ds.Padded(10),
        ds.Bucketed(num_buckets=4, cells=300),
        ds.Packed(sequences=10),
        ds.Packed(rows=5, steps=40),
        ds.Stateful(rows=5, steps=40),
    ]


def test_a_layout_that_cannot_hold_the_data_says_why(plan: Any) -> None:
    code, out, _ = plan("japanese-vowels", "--rows", "4", "--steps", "20")
    words = " ".join(out.split())
    assert code == 0
    assert "Packed(rows=4, steps=20) - - - - - -" in words
    assert "Packed(rows=4, steps=20) cannot hold the data: lengths[1] is 26" in words
    assert "steps=20 is too short for 73 of the sequences (11.4%). Packed needs steps=29 or more" in words
    code, out, _ = plan("japanese-vowels", "--json", "--cells", "5")
    problem = json.loads(out)["layouts"][1]
    assert problem.keys() == {"layout", "arguments", "problem"}
    assert "lengths[0]" in problem["problem"]


def test_the_picture(plan: Any, tmp_path: Path) -> None:
    code, out, _ = plan("japanese-vowels", "--plot", "wall.png")
    assert (code, out.splitlines()[-1]) == (0, "picture in wall.png")
    first = (tmp_path / "wall.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    code, out, err = plan("japanese-vowels", "--plot", "wall.png", "--batch-size", "4")
    assert (code, out, err) == (2, "", "error: wall.png exists. Choose another name, or pass --overwrite.\n")
    assert (tmp_path / "wall.png").read_bytes() == first
    code, out, _ = plan("japanese-vowels", "--plot", "wall.png", "--batch-size", "4", "--overwrite", "--json")
    assert code == 0
    assert json.loads(out)["num_sequences"] == 640
    assert (tmp_path / "wall.png").read_bytes() != first


def test_one_step_a_row_and_empty_sequences(plan: Any, tmp_path: Path) -> None:
    (tmp_path / "steps.csv").write_text("pump,time,a\n" + "".join(f"p{k % 3},{k},0.5\n" for k in range(30)))
    code, out, _ = plan("steps.csv", "--sequence-id", "pump", "--order-by", "time")
    assert (code, out.splitlines()[0]) == (0, "steps.csv: 3 sequences of 10 steps")
    write(tmp_path / "e.parquet", [2, 0, 3])
    code, _, err = plan("e.parquet")
    assert (code, "has length 0" in err) == (2, True)
    code, out, err = plan("e.parquet", "--drop-empty", "--json")
    assert (code, json.loads(out)["num_sequences"], err) == (0, 2, "dropped 1 empty sequence: 1\n")


BAD = [
    (["japanese-vowel"], "Did you mean 'japanese-vowels'"),
    (["nothing.parquet"], "no file nothing.parquet"),
    (["folder"], "is a folder"),
    (["notes.md"], "known endings"),
    (["cut.parquet"], "cut off or damaged"),
    (["steps.csv"], "--sequence-id"),
    (["steps.csv", "--sequence-id", "pmp"], "pmp"),
    (["my.parquet", "--batch-size", "0"], "batch_size must be a whole number of at least 1; got 0"),
    (["my.parquet", "--rows", "-1"], "rows must be a whole number of at least 1; got -1"),
    (["my.parquet", "--num-buckets", "0"], "num_buckets must be"),
    (["my.parquet", "--cells", "0"], "cells must be"),
    (["my.parquet", "--seed", "-1"], "seed must be a whole number from 0"),
    (["my.parquet", "--steps", "many"], "--steps"),
    (["my.parquet", "--plot", "wall.jpg"], "wall.jpg should end in .png"),
    (["my.parquet", "--plot", "gone/wall.png"], "no folder gone"),
    (["my.parquet", "--plot", "folder.png"], "folder.png is a folder"),
    (["nothing.parquet", "--plot", "wall.png"], "no file nothing.parquet"),
]


@pytest.mark.parametrize(
    ("arguments", "words"), BAD, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_bad_input_ends_with_a_sentence_and_writes_nothing(
    plan: Any, tmp_path: Path, arguments: list[str], words: str
) -> None:
    write(tmp_path / "my.parquet", [3, 1, 2])
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "my.parquet").read_bytes()[:200])
    (tmp_path / "steps.csv").write_text("pump,a\nx,1\n")
    (tmp_path / "notes.md").write_text("hello")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.png").mkdir()
    before = sorted(tmp_path.rglob("*"))
    code, out, err = plan(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before


def test_help_has_examples(plan: Any) -> None:
    code, out, _ = plan("--help")
    assert code == 0
    assert "drystone plan my.parquet --plot wall.png" in out


def without(*libraries: str) -> str:
    hidden = "".join(f"sys.modules[{name!r}] = None; " for name in libraries)
    return f"import sys; {hidden}sys.argv[0] = 'drystone'; from drystone.cli.main import main; main()"


def test_it_needs_no_framework(tmp_path: Path) -> None:
    code = without("torch", "matplotlib")
    run = [sys.executable, "-c", code, "plan", "japanese-vowels"]
    done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run([*run, "--plot", "w.png"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: matplotlib is not installed. Install it with: pip install 'drystone[plot]'\n"


def test_nothing_is_shown_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with busy() as say:
        say("reading")
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_it_says_what_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class AtOnce(Timer):
        def start(self) -> None:
            self.function()
            self.function = lambda: None
            super().start()

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("drystone.cli.busy.Timer", AtOnce)
    monkeypatch.setattr("drystone.cli.busy.console", partial(Console, stderr=True))
    with busy() as say:
        say("reading a.csv")
    printed = capsys.readouterr()
    assert "reading a.csv" in printed.err
    assert printed.out == ""


def test_names_of_layouts_can_be_typed() -> None:
    for layout in (ds.Padded(3, order="sorted"), ds.Packed(rows=2, steps=8), ds.Bucketed(boundaries=(3,), cells=9)):
        assert eval(repr(layout), vars(ds)) == layout


def test_where_padding_is_small_plain_padding_is_enough() -> None:
    assert "All sequences have 20 steps: Padded(batch_size=32) needs no padding" in advice_on([20] * 100)
    rng = np.random.default_rng(0)
    assert "leaves 0.9% of its cells to padding; no other layout gains much" in advice_on(rng.integers(99, 102, 500))


def test_the_simplest_layout_with_little_padding_is_advised() -> None:
    rng = np.random.default_rng(0)
    words = advice_on(rng.integers(5, 50, 2_000))
    assert "Padded(batch_size=32) leaves 42.9% of its cells to padding" in words
    assert "Bucketed(num_buckets=8, batch_size=32)" in words
    assert "with one sequence a row, Packed(sequences=32) 1.9% with several: 1.7 × fewer cells" in words
    assert "2.9% with one sequence a row: 1.3 × fewer cells" in advice_on(rng.integers(20, 40, 2_000))


def test_buckets_of_single_sequences_are_not_advised() -> None:
    words = advice_on([3, 1, 5, 2])
    assert "Bucketed" not in words
    assert "Padded(batch_size=32) leaves 45.0% of its cells to padding, Packed(sequences=32) 8.3% with several" in words
    assert "Bucketed(num_buckets=8, cells=10)" in advice_on([3, 1, 5, 2], cells=10)


def test_few_long_series_are_carried_or_cut() -> None:
    words = advice_on([17_420])
    assert words == (
        "There is one series, of 17,420 steps: laid out whole, an epoch is 1 update. Stateful(rows=1, steps=128) "
        "makes 137 updates and carries the state on. One row keeps no processor busy: seqs.cut(32) and "
        "Stateful(rows=32, steps=128) run 32 parts side by side, in 5 updates; lead= warms up the state of each part."
    )
    assert "seqs.cut(10) and Stateful(rows=30, steps=128)" in advice_on([20_000, 15_000, 9_000])
    assert "cut" not in advice_on([600], steps=400)


def test_the_number_of_updates() -> None:
    assert "batch_size=32 makes 4 updates an epoch. That is few for training: 10 makes 10." in advice_on([5] * 100)
    assert "batch_size=32 makes 1 update an epoch." in advice_on([5, 6])
    many = advice_on([5] * 5_000, batch_size=2)
    assert "batch_size=2 makes 2,500 updates an epoch. 8 would make 625, of at most 160 bytes each" in many


def test_a_tail_and_long_steps_are_named() -> None:
    lengths = [10] * 990 + [12] * 5 + [30] * 5
    assert "99% have up to 10. Where the ends matter little, seqs.truncate(10) leaves out 1.1%" in advice_on(lengths)
    assert "What lies beyond is 84.7% of all steps" in advice_on([3] * 300 + [5_000])
    words = advice_on(np.random.default_rng(0).integers(3_000, 9_000, 100))
    assert "Stateful(rows=32, steps=128) cuts them at batch borders" in words


def test_rows_and_steps_that_waste_are_named() -> None:
    lengths = np.random.default_rng(0).integers(33, 40, 2_000)
    words = advice_on(lengths, rows=8, steps=64)
    assert "Packed(rows=8, steps=64) leaves 43.6% of its cells empty, Packed(rows=4, steps=128) about 15.5%" in words
    assert "holds all 60 steps in one batch, so an epoch is one update" in advice_on([2] * 30, rows=8, steps=64)


@given(
    strategies.lengths.map(lambda found: found * 60) | strategies.lengths,
    st.sampled_from([{}, {"batch_size": 2}, {"rows": 3, "steps": 5}, {"rows": 2, "steps": 700}, {"cells": 4}]),
)
def test_advice_never_asks_for_what_cannot_be(lengths: Any, sizes: dict[str, int]) -> None:
    words = advice_on(lengths, **sizes)
    assert words
    for name in re.findall(r"(?:Padded|Bucketed|Packed|Stateful)\([^)]*\)", words):
        eval(name, vars(ds))
    for parts in re.findall(r"cut\((\d+)\)", words):
        assert 1 < int(parts) <= max(lengths)
    for size in re.findall(r"for training: ([\d,]+) makes", words):
        assert 1 < int(size) < len(lengths)
