"""ETTh1: the next 24 hours of all seven series of a transformer station, at every hour of the four test months.

The first 14,400 hours, 20 months of 30 days: 12 to train on, 4 for validation, 4 to test (Zhou et al. 2021, "Informer"). Squared
and absolute errors are in units of each series' standard deviation in the training part, mean over series and hours ahead.
What the model is told of each series: how it changed in an hour and in a day, and how it differs from the mean of the last 24
hours; and the hour. It learns the difference to the last value. The weights are those with the lowest loss on the validation part, by
which every setting was chosen too; the test part is read once, at the end.

OMP_NUM_THREADS=1 python benchmarks/ett.py --threads 1 --data ETTh1.csv
"""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from common import arguments_of, markdown, where, write
from pyarrow import csv

import drystone as ds

SERIES = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
TARGET = ",".join(SERIES)
HOURS, TRAIN = 14_400, 8_640
DAY, HORIZON = 24, 24
SETTINGS: Mapping[str, Any] = MappingProxyType(
    {
        "features": ("day", "step", "mean", "hour"),
        "base": "last",
        "hidden_size": 256,
        "head_dropout": 0.5,
        "noise": 0.3,
        "weight_decay": 0.1,
        "rows": 8,
        "steps": 96,
        "learning_rate": 0.001,
        "epochs": 30,
        "patience": 8,
    }
)
HEADERS = ["forecast", "test MSE", "test MAE"]


def sequences_of(path: Path) -> ds.Sequences:
    """Returns one series of the seven as one field, what is made of them, and the timestamps."""
    table = csv.read_csv(path)
    values = np.column_stack([table[name].to_numpy() for name in SERIES])[:HOURS]
    times = table["date"].to_numpy().astype("M8[s]")[:HOURS]
    angle = times.astype("M8[h]").astype(int) % DAY * (2 * np.pi / DAY)
    fields = {
        TARGET: values,
        "day": values - _before(values, DAY),
        "step": values - _before(values, 1),
        "mean": values - _mean_of_last(values, DAY),
        "hour": np.column_stack([np.sin(angle), np.cos(angle)]),
        "date": times,
    }
    return replace(ds.Sequences.from_arrays({name: [field] for name, field in fields.items()}), order_by="date")


def _before(values: npt.NDArray[Any], steps: int) -> npt.NDArray[Any]:
    """Returns the values so many steps before; of the first steps their own."""
    return np.concatenate([values[:steps], values[:-steps]])


def _mean_of_last(values: npt.NDArray[Any], steps: int) -> npt.NDArray[Any]:
    """Returns the mean of the last steps up to each, fewer at the start."""
    sums = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), values]), axis=0)
    stop = np.arange(1, len(values) + 1)
    start = np.maximum(stop - steps, 0)
    return (sums[stop] - sums[start]) / (stop - start)[:, None]


def errors_of(said: npt.NDArray[Any], values: npt.NDArray[Any], origins: npt.NDArray[Any]) -> dict[str, float]:
    """Returns the errors of forecasts, [origins, horizon, series], of scaled values."""
    truth = np.stack([values[origins + ahead] for ahead in range(1, HORIZON + 1)], axis=1)
    errors = said - truth
    return {"mse": float((errors**2).mean()), "mae": float(np.abs(errors).mean())}


def result_of(seqs: ds.Sequences, seed: int) -> dict[str, Any]:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = ds.fit(
            seqs,
            target=TARGET,
            task="forecast",
            horizon=HORIZON,
            valid_fraction=0.2,
            test_fraction=0.2,
            seed=seed,
            progress=False,
            out=Path(folder) / "run",
            **SETTINGS,
        )
        records, table = run.metrics, run.predict(seqs)
    test = run.split.runs["test"]
    origins = np.arange(int(test.offset[0]) - 1, HOURS - HORIZON)
    values = seqs[0][TARGET]
    mean, spread = values[:TRAIN].mean(axis=0), values[:TRAIN].std(axis=0)
    scaled = (values - mean) / spread
    said = np.column_stack([table[name] for name in run.task.output_names]).reshape(HOURS, len(SERIES), HORIZON)
    said = (said[origins].transpose(0, 2, 1) - mean) / spread
    day_before = np.stack([scaled[origins + ahead - DAY] for ahead in range(1, HORIZON + 1)], axis=1)
    last = np.repeat(scaled[origins, None], HORIZON, axis=1)
    (by_run,) = (record for record in records if record["part"] == "test")
    valid = [record["loss"] for record in records if record["part"] == "valid"]
    figures = {
        name: errors_of(found, scaled, origins)
        for name, found in {"drystone": said, "the day before": day_before, "the last hour": last}.items()
    }
    assert np.isclose(figures["drystone"]["mse"], by_run["loss"], rtol=1e-4)
    return {
        "figures": figures,
        "validation": min(valid),
        "best_epoch": valid.index(min(valid)) + 1,
        "origins": len(origins),
        "seconds": time.perf_counter() - started,
    }


def main() -> None:
    parser = arguments_of(__doc__, "ett")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/ett/ETTh1.csv"), metavar="FILE")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: as torch chooses")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    found = result_of(sequences_of(arguments.data), arguments.seed)
    lines = [[name, f"{errors['mse']:.3f}", f"{errors['mae']:.3f}"] for name, errors in found["figures"].items()]
    print(markdown(HEADERS, lines))
    print(f"validation MSE {found['validation']:.4f}, {found['seconds']:.0f} s")
    settings = {"seed": arguments.seed, "threads": arguments.threads, "settings": dict(SETTINGS)}
    write(arguments.json, {**where(("drystone", "numpy", "torch")), **settings, **found})


if __name__ == "__main__":
    main()
