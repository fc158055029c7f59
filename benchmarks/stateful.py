"""Stateful against windowed training: electricity use by the hour, one day ahead, the same model and test origins.

    python benchmarks/stateful.py --data ../shared/data
    python benchmarks/stateful.py --data ../shared/data --threads 1 --json one_thread.json

At every hour the next 24 are forecast. Inputs are the load, standardised by the training part, and where in the day and in
the week an hour lies; an LSTM and a linear layer say how the next 24 hours will differ from the last 24. The first 70% of
the hours are trained on, the next 15% are for validation, the last 15% are the test.

- stateful: the training part is cut into rows, each with a lead of a week; batches of a week of all rows, the state carried
  from batch to batch. Every hour is run once (and the leads), and every hour is scored.
- windows of 168 hours, stride 1: one window for every hour, of which the last hour is scored; batches of random windows.

Layout, learning rate and number of passes of each way were chosen by the mean absolute error on the validation part, and
the weights of the best evaluation there are kept; the stateful way gets less time to train, not more. Both are tested on the
same origins: every hour of the test part whose next 24 hours lie in it. With the state carried, the model goes over
them in their order, from 8 weeks before the first; in windows, it sees each origin's last 168 hours. Each model is tested
in both ways.

Each way runs in a process of its own. Passes of training, without evaluation, are timed first: for five seconds, or one pass
where it takes longer; the median counts, without the first pass where there are several. Memory is what is resident at the
peak of the first pass, less what was before it (after a small training of another model, so that all libraries are
loaded); it is read from /proc, and needs Linux.
"""

import os
from argparse import Namespace
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch
from common import arguments_of, fresh_process, markdown, where, write
from torch import Tensor, nn
from torchmetrics.regression import MeanAbsoluteError

import drystone as ds
from drystone.torch import LSTM, TensorBatch
from drystone.train import Best, EpochEnded, Evaluated, Evaluator, Outcome, Recipe, Trainer

DAY, WEEK = 24, 168
WARM_UP = 8 * WEEK  # hours before the first origin that the carried state has seen
FRACTIONS = (0.7, 0.15, 0.15)
TIMED_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a model is trained; all numbers were chosen on the validation part."""

    layout: ds.Layout
    rows: int | None  # parts that the series is cut into; None for windows
    epochs: int
    learning_rate: float
    evaluate_every: int | None = None  # updates


WAYS = {
    "stateful": Way(layout=ds.Stateful(rows=16, steps=WEEK), rows=16, epochs=80, learning_rate=1e-2),
    "windows": Way(layout=ds.Padded(64), rows=None, epochs=4, learning_rate=3e-3, evaluate_every=100),
}
NAIVE = {"the last hour again": 1, "24 hours before": DAY, "168 hours before": WEEK}
HEADERS = ("trained", "tested", "MAE", "RMSE", "s a pass", "MB a pass", "passes", "s to train")


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """The whole series, and the mean and deviation of the load in its training part."""

    series: ds.Sequences
    mean: float
    deviation: float

    @classmethod
    def read(cls, folder: Path) -> "Data":
        table = ds.read(folder / "electricity" / "hourly_electricity.csv", order_by="ts")
        load, hours = table.field("y").values, table.field("ts").values.astype("M8[h]").astype(int)
        known = load[: int(FRACTIONS[0] * len(load))]
        mean, deviation = float(known.mean()), float(known.std())
        turns = [2 * np.pi * hours / period for period in (DAY, WEEK)]
        x = np.stack([(load - mean) / deviation, *map(np.sin, turns), *map(np.cos, turns)], axis=1)
        past = np.lib.stride_tricks.sliding_window_view(np.pad(load, (DAY - 1, 0), mode="edge"), DAY)
        fields = {"x": x, "load": load, "past": past}
        series = ds.Sequences.from_arrays({name: [values.astype("float32")] for name, values in fields.items()})
        return cls(series=series.ahead("load", range(1, DAY + 1), "next"), mean=mean, deviation=deviation)

    def parts(self, context: int) -> tuple[ds.Sequences, ...]:
        """Training, validation and test, of which the latter two have hours before them to warm up on."""
        return self.series.split_by_time(fractions=FRACTIONS, context=context)


class Forecaster(nn.Module):
    """Says at every hour the load of the next 24, in original units."""

    def __init__(self, hidden: int, data: Data) -> None:
        super().__init__()
        self.lstm, self.head = LSTM(data.series.field("x").item_shape[0], hidden), nn.Linear(hidden, DAY)
        self.deviation = data.deviation

    def forward(self, batch: TensorBatch, state: Any) -> tuple[Tensor, Any]:
        """Returns [scored cells, 24], and the state of the rows."""
        run = self.lstm.run(batch["x"], batch.grid, state)
        change = self.head(run.output[batch.scored])
        return batch["past"][batch.scored] + self.deviation * change, run.state


def objective(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
    forecast, state = model(batch, state)
    known = batch["next"][batch.scored]
    loss = (forecast - known).abs().sum() / (DAY * model.deviation)
    return Outcome(loss=loss, weight=len(known), predictions=forecast, targets=known, state=state)


def windows(part: ds.Sequences) -> ds.Sequences:
    return part.windows(WEEK, stride=1, horizon=DAY)


def training_loader(way: Way, data: Data, seed: int) -> ds.Loader:
    train, *_ = data.parts(context=WEEK)
    return ds.Loader(windows(train) if way.rows is None else train.cut(way.rows, lead=WEEK), way.layout, seed)


def evaluator_of(name: str, data: Data, number: int) -> Evaluator:
    """Over one part of the series, as a model of this way sees it; the origins are the same."""
    if name == "windows":
        loader = ds.Loader(windows(data.parts(context=WEEK)[number]), ds.Padded(256, order="given"))
    else:
        loader = ds.Loader(data.parts(context=WARM_UP)[number], ds.Stateful(rows=1, steps=512))
    return Evaluator(objective, loader, {"mae": MeanAbsoluteError()})


def errors_of(forecast: Tensor, known: Tensor) -> dict[str, float]:
    errors = (forecast - known).double()
    return {"mae": float(errors.abs().mean()), "rmse": float(errors.square().mean().sqrt()), "origins": len(known)}


def tested(model: Forecaster, data: Data) -> dict[str, dict[str, float]]:
    """Returns the errors over the test part in both ways, which must be asked for the same hours."""
    found = {}
    for name in WAYS:
        outcomes = [outcome for _, outcome in evaluator_of(name, data, 2).outcomes(model)]
        found[name] = tuple(
            torch.cat([getattr(each, side) for each in outcomes]) for side in ("predictions", "targets")
        )
    known = [targets for _, targets in found.values()]
    if not all(torch.equal(known[0], other) for other in known):
        raise RuntimeError("the two ways were tested on different hours.")
    return {name: errors_of(*pair) for name, pair in found.items()}


def naive_errors(data: Data) -> dict[str, dict[str, float]]:
    """Says the last hour, day or week again, at the same origins."""
    test = data.parts(context=WARM_UP)[2]
    first, stop = (int(bound[0]) for bound in test.scored_steps())
    load, known = torch.from_numpy(test[0]["load"]), torch.from_numpy(test[0]["next"][first:stop])
    origins, ahead = torch.arange(first, stop)[:, None], torch.arange(1, DAY + 1)
    return {name: errors_of(load[origins + (ahead - 1) % hours + 1 - hours], known) for name, hours in NAIVE.items()}


def resident(name: str) -> int:
    """Returns bytes: VmRSS is what is resident now, VmHWM the peak since it was last cleared."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def cost_of_a_pass(trainer: Trainer) -> dict[str, float]:
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
    before, times = resident("VmRSS"), [perf_counter()]
    peak = 0
    for event in trainer.run():
        if isinstance(event, EpochEnded):
            times.append(perf_counter())
            peak = peak or resident("VmHWM")
            if times[-1] - times[0] > TIMED_SECONDS:
                break
    passes = np.diff(times).tolist()
    return {
        "seconds_a_pass": median(passes[1:] or passes),
        "passes_timed": len(passes),
        "updates_a_pass": trainer.counts.updates // len(passes),
        "memory_of_a_pass": peak - before,
    }


def trained(trainer: Trainer) -> dict[str, Any]:
    """Trains to the end, and leaves the model with its best weights."""
    best, evaluations = Best(monitor="mae", higher_is_better=False), []
    weights: dict[str, Tensor] = {}
    started = perf_counter()
    for event in trainer.run():
        best(event)
        if isinstance(event, Evaluated):
            evaluations.append(event.figures["mae"])
            if best.since == 0:
                weights = deepcopy(trainer.model.state_dict())
    trainer.model.load_state_dict(weights)
    return {
        "training_seconds": perf_counter() - started,
        "best_update": best.update,
        "best_validation_mae": best.value,
        "validation_mae": evaluations,
    }


def result_of(name: str, arguments: Namespace) -> dict[str, Any]:
    """Runs one way, in its own process."""
    torch.set_num_threads(arguments.threads)
    data, way = Data.read(arguments.data), WAYS[name]

    def trainer(recipe: Recipe, evaluator: Evaluator | None = None) -> Trainer:
        torch.manual_seed(arguments.seed)
        model, loader = Forecaster(arguments.hidden, data), training_loader(way, data, arguments.seed)
        return Trainer(model, loader, objective, recipe, evaluator=evaluator)

    small = ds.Loader(data.series.truncate(WEEK), ds.Padded(1))
    list(Trainer(Forecaster(8, data), small, objective, Recipe(updates=1)).run())  # loads what training needs
    cost = cost_of_a_pass(trainer(Recipe(epochs=1000, learning_rate=way.learning_rate)))
    recipe = Recipe(epochs=way.epochs, learning_rate=way.learning_rate, evaluate_every=way.evaluate_every)
    whole = trainer(recipe, evaluator_of(name, data, 1))
    return {**cost, "passes": way.epochs, **trained(whole), "test": tested(whole.model, data)}


def lines_of(figures: dict[str, Any], naive: dict[str, dict[str, float]]) -> list[list[str]]:
    lines = []
    for name, found in figures.items():
        costs = (
            f"{found['seconds_a_pass']:.2f}",
            f"{found['memory_of_a_pass'] / 1e6:.0f}",
            f"{found['passes']}",
            f"{found['training_seconds']:.0f}",
        )
        for how, errors in found["test"].items():
            lines.append([name, how, f"{errors['mae']:.1f}", f"{errors['rmse']:.1f}", *costs])
    empty = [""] * 4
    return lines + [[name, "", f"{found['mae']:.1f}", f"{found['rmse']:.1f}", *empty] for name, found in naive.items()]


def main() -> None:
    parser = arguments_of(__doc__, "stateful")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), metavar="FOLDER")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: as torch chooses")
    arguments = parser.parse_args()
    data = Data.read(arguments.data)
    loads, figures = [os.getloadavg()[0]], {}
    for name in WAYS:
        with fresh_process() as process:
            figures[name] = process.submit(result_of, name, arguments).result()
        loads.append(os.getloadavg()[0])
    naive = naive_errors(data)
    stateful, windowed = (figures[name]["seconds_a_pass"] for name in ("stateful", "windows"))
    print(f"{naive['24 hours before']['origins']} origins; load average {', '.join(f'{load:.1f}' for load in loads)}\n")
    print(markdown(HEADERS, lines_of(figures, naive)))
    print(f"\na stateful pass is {windowed / stateful:.0f} times as fast as one of windows")
    settings = {key: value for key, value in vars(arguments).items() if key not in ("json", "data")}
    ways = {name: asdict(way) | {"layout": str(way.layout)} for name, way in WAYS.items()}
    record = {**where(("drystone", "numpy", "torch")), **settings, "load_average": loads, "ways": ways}
    write(arguments.json, {**record, "figures": figures, "naive": naive, "speed_ratio": windowed / stateful})


if __name__ == "__main__":
    main()
