"""Steps of many streams at a time, each with a state of its own: the predictor, a loop, and states gathered by hand.

    python benchmarks/streaming.py

One `nn.LSTM` of 128 units, 8 features for all. The loop calls it once a stream, with the state that it keeps for that
stream. By hand, one call gets h[:, index] and c[:, index] and writes them back; it knows the index, checks nothing, and
looks up no ids. The predictor gets ids in another order at every call; "same ids": in the order of the call before, as most
callers do, so that it knows the index too. The ways run one after the other in a random order, time and again; medians, and
medians of the ratios of one such turn.
"""

from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from common import arguments_of, markdown, seconds_of, where, write
from torch import nn

from drystone.torch import StatefulPredictor

HIDDEN, FEATURES = 128, 8
STREAMS = 10_000
WAYS = ("predictor", "predictor, same ids", "by hand", "loop")


class Case:
    """Calls of some of 10,000 streams that are held, with some steps each.

    Args:
        num_streams: a call.
        num_steps: of each stream in a call.
        seed: of weights, values and orders.
    """

    def __init__(self, num_streams: int, num_steps: int, seed: int) -> None:
        torch.manual_seed(seed)
        self.rng = np.random.default_rng(seed)
        self.num_streams, self.num_steps = num_streams, num_steps
        self.lstm = nn.LSTM(FEATURES, HIDDEN, batch_first=True)
        self.ids = np.array([f"stream-{number:05d}" for number in range(STREAMS)], dtype=object)
        self.predictor, self.same_ids = StatefulPredictor(self.lstm), StatefulPredictor(self.lstm)
        for predictor in (self.predictor, self.same_ids):
            predictor.step(self.ids, np.zeros((STREAMS, FEATURES), np.float32))
        self.some = self.rng.permutation(self.ids)[:num_streams]
        self.h, self.c = torch.zeros(1, STREAMS, HIDDEN), torch.zeros(1, STREAMS, HIDDEN)
        self.states = {name: (self.h[:, :1].clone(), self.c[:, :1].clone()) for name in self.ids}

    def turn(self) -> dict[str, float]:
        """Returns the seconds of one call of each way, on the same streams and values."""
        index = self.rng.permutation(STREAMS)[: self.num_streams]
        ids = self.ids[index]
        values = self.rng.standard_normal((self.num_streams, self.num_steps, FEATURES), dtype=np.float32)
        as_index, x = torch.from_numpy(index), torch.from_numpy(values)
        ways: dict[str, Callable[[], Any]] = {
            "predictor": partial(self.predictor.step, ids, values),
            "predictor, same ids": partial(self.same_ids.step, self.some, values),
            "by hand": partial(self.one_call, as_index, x),
            "loop": partial(self.loop, ids, x),
        }
        return {name: seconds_of(ways[name]) for name in self.rng.permutation(WAYS).tolist()}

    @torch.inference_mode()
    def one_call(self, index: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        state = self.h[:, index], self.c[:, index]
        output, (self.h[:, index], self.c[:, index]) = self.lstm(x, state)
        return output

    @torch.inference_mode()
    def loop(self, ids: Any, x: torch.Tensor) -> list[torch.Tensor]:
        outputs = []
        for name, steps in zip(ids, x, strict=True):
            output, self.states[name] = self.lstm(steps[None], self.states[name])
            outputs.append(output)
        return outputs


def figures(case: Case, repeats: int) -> dict[str, Any]:
    """Returns medians of milliseconds a call, steps a second, and ratios to the predictor."""
    turns = [case.turn() for _ in range(repeats + 1)][1:]
    steps = case.num_streams * case.num_steps
    seconds = {way: median(turn[way] for turn in turns) for way in WAYS}
    return {
        "streams": case.num_streams,
        "steps": case.num_steps,
        "milliseconds": {way: 1e3 * found for way, found in seconds.items()},
        "steps_per_second": {way: steps / found for way, found in seconds.items()},
        "times_as_fast_as_loop": median(turn["loop"] / turn["predictor"] for turn in turns),
        "times_as_fast_as_by_hand": median(turn["by hand"] / turn["predictor"] for turn in turns),
        "same_ids_times_as_fast_as_by_hand": median(turn["by hand"] / turn["predictor, same ids"] for turn in turns),
    }


def main() -> None:
    parser = arguments_of(__doc__, "streaming")
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    found = []
    for threads in sorted({1, torch.get_num_threads()}):
        torch.set_num_threads(threads)
        for num_streams, num_steps in ((1, 1), (100, 1), (STREAMS, 1), (1, 16), (100, 16), (STREAMS, 4)):
            repeats = arguments.repeats * (1 if num_streams == STREAMS else 20)
            case = Case(num_streams, num_steps, arguments.seed)
            found.append({"threads": threads, **figures(case, repeats)})
    print(markdown(HEADERS, [row_of(record) for record in found]))
    settings = {"hidden": HIDDEN, "features": FEATURES, "streams_held": STREAMS}
    settings |= {"repeats": arguments.repeats, "seed": arguments.seed}
    write(arguments.json, {**where(("drystone", "torch", "numpy")), **settings, "figures": found})


HEADERS = [
    "threads, streams × steps a call",
    *(f"{way}, ms" for way in WAYS),
    "× loop",
    "× by hand",
    "same ids × by hand",
]


def row_of(record: dict[str, Any]) -> list[str]:
    """Returns a line of the table."""
    return [
        f"{record['threads']}, {record['streams']:,} × {record['steps']}",
        *(f"{record['milliseconds'][way]:.2f}" for way in WAYS),
        f"{record['times_as_fast_as_loop']:.1f}",
        f"{record['times_as_fast_as_by_hand']:.2f}",
        f"{record['same_ids_times_as_fast_as_by_hand']:.2f}",
    ]


if __name__ == "__main__":
    main()
