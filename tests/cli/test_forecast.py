"""Forecasts on the command line: what is printed and written, and how they are refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

KEYS = ["hourly.csv", "--order-by", "ts", "--target", "y"]
FAST = ["--rows", "4", "--steps", "12", "--epochs", "2", "--hidden-size", "4", "--quiet"]


@pytest.fixture(autouse=True)
def _hourly(tmp_path: Path) -> None:
    hours = np.datetime64("2024-01-01T00:00:00") + np.arange(200).astype("timedelta64[h]")
    y = 1000 + 50 * np.sin(np.arange(200) / 4)
    rows = [f"{str(hour).replace('T', ' ')},{value}" for hour, value in zip(hours, y, strict=True)]
    (tmp_path / "hourly.csv").write_text("\n".join(["ts,y", *rows]) + "\n")


def test_fit_evaluate_predict_runs(program: Any) -> None:
    code, out, err = program("fit", *KEYS, "--horizon", "6", "--valid-fraction", "0.1", *FAST)
    assert (code, err) == (0, "")
    first, test, folder = out.splitlines()
    assert first == "train 140 steps, valid 20 steps, test 40 steps; features: y"
    assert test.startswith("test rmse ")
    assert folder == "run folder runs/hourly-1"
    code, out, err = program("evaluate", "runs/hourly-1", "hourly.csv")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == test
    assert [line.split()[1] for line in lines] == ["rmse", "mae", "r2", "mase", "loss", "sequences", "steps"]
    assert lines[-2:] == ["test sequences 1", "test steps 35"]
    code, out, _ = program("evaluate", "runs/hourly-1", "hourly.csv", "--part", "valid")
    assert "valid steps 15" in out
    code, out, _ = program("evaluate", "runs/hourly-1", "hourly.csv", "--part", "all")
    assert "all steps 194" in out
    code, out, _ = program("predict", "runs/hourly-1", "hourly.csv", "--out", "p.parquet")
    assert (code, out) == (0, "200 predictions in p.parquet\n")
    assert pq.read_table("p.parquet").column_names == ["sequence", "step", "ts", *(f"y+{k}" for k in range(1, 7))]
    code, out, _ = program("predict", "runs/hourly-1", "hourly.csv", "--out", "p.csv")
    assert code == 0
    code, out, _ = program("runs", "--json")
    (record,) = json.loads(out)
    assert (record["task"], record["figure"], record["epochs"]) == ("forecast", "rmse", 2)
    assert f"rmse {record['test']:.5g}" in test
    code, out, _ = program("runs")
    assert f"rmse {record['test']:.5g}" in " ".join(out.split())


def test_the_task_follows_the_target_and_its_template_trains(program: Any) -> None:
    template = program("config", "forecast")[1]
    chosen = {"data": "hourly.csv", "target": "y", "order_by": "ts", "rows": 4, "steps": 12, "epochs": 2}
    lines = []
    for line in template.splitlines():
        name = line.removeprefix("# ").partition(" = ")[0]
        lines.append(f"{name} = {chosen[name]!r}" if name in chosen else line)
    Path("run.toml").write_text("\n".join(lines))
    assert program("fit", "--config", "run.toml", "--hidden-size", "4", "--quiet", "--out", "a")[0] == 0
    assert program("fit", *KEYS, *FAST, "--out", "b")[0] == 0
    assert program("fit", "--config", "b/config.toml", "--quiet", "--out", "c")[0] == 0
    assert len({(Path(run) / "weights.safetensors").read_bytes() for run in "abc"}) == 1
    assert Path("a/config.toml").read_text() == Path("b/config.toml").read_text()


BAD = [
    (["--horizon", "24", "--pooling", "mean"], "pooling goes with task classify, regress or joint, not with forecast"),
    (["--task", "classify"], "'y' changes in sequence 0"),
    (["--horizon", "200"], "horizon is 200, and the train part holds no step with 200 steps after it"),
    (["--bidirectional"], "bidirectional is on; a forecast must not read backward"),
    (["--window", "24", "--layout", "stateful"], "window goes with layout padded"),
    (["--backprop-steps", "100"], "backprop_steps is 100; expected a whole multiple of steps, 128"),
    (["--task", "forcast"], "task is 'forcast'"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_ends_with_a_sentence_and_writes_nothing(
    program: Any, tmp_path: Path, arguments: list[str], words: str
) -> None:
    code, out, err = program("fit", *KEYS, *arguments, "--quiet")
    assert (code, out) == (2, "")
    assert words in err
    assert [path.name for path in tmp_path.iterdir()] == ["hourly.csv"]


def test_an_export_is_refused(program: Any, tmp_path: Path) -> None:
    assert program("fit", *KEYS, *FAST)[0] == 0
    code, _, err = program("export", "runs/hourly-1", "--to", "torch")
    assert (code, "trained to forecast; only runs that classify" in err) == (2, True)
    assert not (tmp_path / "hourly-1.torch").exists()


def test_a_figure_that_is_no_number_is_null_in_lists_of_runs(program: Any) -> None:
    assert program("fit", *KEYS, *FAST, "--valid-fraction", "0.01", "--test-fraction", "0.1")[0] == 0
    path = Path("runs/hourly-1/metrics.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["r2"] is None for line in lines if line["part"] == "valid"] == [False, False]
    code, _, err = program("fit", *KEYS, *FAST, "--valid-fraction", "0.005", "--monitor", "r2")
    assert code == 2
    assert "monitor is 'r2', and the valid part has 1 value to score; r2 needs two" in err
    assert program("fit", *KEYS, *FAST, "--valid-fraction", "0.005", "--out", "one")[0] == 0
    lines = [json.loads(line) for line in Path("one/metrics.jsonl").read_text().splitlines()]
    assert {line["r2"] for line in lines if line["part"] == "valid"} == {None}
    code, out, _ = program("runs", "one", "--json")
    json.loads(out, parse_constant=pytest.fail)


def test_counts_are_forecast_where_settings_say_so_and_else_it_is_said_how(program: Any) -> None:
    lines = [f"{number},{number * 7 % 11}" for number in range(200)]
    Path("int.csv").write_text("\n".join(["t,load", *lines]) + "\n")
    keys = ["int.csv", "--order-by", "t", "--target", "load"]
    assert program("fit", *keys, *FAST, "--horizon", "3")[0] == 0
    assert program("fit", *keys, *FAST[2:], "--layout", "stateful", "--rows", "2")[0] == 0
    assert 'task = "forecast"' in Path("runs/int-1/config.toml").read_text()
    Path("run.toml").write_text("pooling = 'mean'\nhorizon = 3\n")
    code, _, err = program("fit", *keys, "--config", "run.toml")
    assert code == 2
    assert "run.toml with --target, --order-by: " in err
    assert "name another with task= (--task)" in err


def test_the_template_takes_a_window(program: Any) -> None:
    text = program("config", "forecast")[1].replace("# window = ", "window = 5").replace("epochs = ", "epochs = 1")
    Path("run.toml").write_text(text.replace("# epochs", "epochs"))
    code, _, err = program("fit", *KEYS, "--config", "run.toml", "--hidden-size", "4", "--quiet")
    assert (code, err) == (0, "")


@pytest.mark.filterwarnings("always:1 sequence of the training part")
def test_a_series_too_short_for_a_window_is_told_of(program: Any) -> None:
    rows = [f"{name},{step},{step % 5 + 0.5}" for name, steps in (("a", 60), ("b", 4)) for step in range(steps)]
    Path("two.csv").write_text("\n".join(["id,t,y", *rows]) + "\n")
    keys = ["two.csv", "--sequence-id", "id", "--order-by", "t", "--target", "y", "--window", "5"]
    code, _, err = program("fit", *keys, "--epochs", "1", "--hidden-size", "4", "--quiet")
    assert code == 0
    assert err.startswith("warning: 1 sequence of the training part with 4 steps is shorter than a window of 5")
