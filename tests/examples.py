"""What the tests of examples share: running a script as a user does, and real data of a small size for it."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import drystone as ds

EXAMPLES = Path(__file__).parents[1] / "examples"
NUMBER = r"[\d.e+-]+"
OF_KERAS = "*_keras.py", "*_tf.py"

Run = Callable[..., str]


def running(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Returns a function that runs an example with arguments, and returns what it prints."""

    def output_of(name: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return output_of


def check_help(run: Run, capsys: pytest.CaptureFixture[str], path: Path) -> None:
    """An example says with --help what it shows and which trap it avoids, and is short enough to read."""
    with pytest.raises(SystemExit) as stop:
        run(path.stem, "--help")
    assert stop.value.code == 0
    assert "The usual trap: " in capsys.readouterr().out
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 100


def long_table() -> pd.DataFrame:
    """Twelve real series of 300 days, of which one in eleven is missing, and the last series starts late."""
    values = ds.read("japanese-vowels").field("x").values[:300]
    days = pd.date_range("2020-01-01", periods=300)
    series = [pd.DataFrame({"stock": f"s{number}", "date": days, "price": values[:, number]}) for number in range(12)]
    series[-1] = series[-1].iloc[100:]
    whole = pd.concat(series)
    return whole[np.arange(len(whole)) % 11 != 7]


def save_series(folder: Path) -> Path:
    """Writes one real series of two columns, ts and y, and returns its path."""
    table = long_table()
    one = table[table.stock == "s0"].rename(columns={"date": "ts", "price": "y"})
    one[["ts", "y"]].to_csv(folder / "series.csv", index=False)
    return folder / "series.csv"


def save_text(folder: Path) -> Path:
    """Writes the paragraphs of this project's README, and returns the path."""
    text = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    (folder / "text.txt").write_text(text, encoding="utf-8")
    return folder / "text.txt"


def save_labelled_texts(folder: Path) -> Path:
    """Writes the sentences of two documents of this project, and which document each is of; returns the path."""
    rows: list[dict[str, Any]] = []
    for label, name in (("readme", "README.md"), ("changes", "CHANGELOG.md")):
        lines = (EXAMPLES.parent / name).read_text(encoding="utf-8").splitlines()
        rows += [{"text": line, "label": label} for line in lines if 3 <= len(line.split()) <= 25]
    pd.DataFrame(rows).to_csv(folder / "texts.csv", index=False)
    return folder / "texts.csv"
