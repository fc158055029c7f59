"""Answers lines of many streams: all that came together runs as one batch."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError, StreamInputError
from drystone.torch.streaming.predictor import StatefulPredictor
from drystone.train.features.feature import Features
from drystone.train.follow.journal import Entry
from drystone.train.follow.line import STEP, Line, LineError, read_line

Answer = dict[str, Any]


@dataclass(slots=True)
class Clock:
    """The time that a batch came, in seconds since 1970; when old lines run again, it is theirs."""

    time: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.time


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of some lines: an answer to each that is not blank, in order, and those that ran, as they ran together."""

    answers: list[Answer]
    ran: list[Entry]


class Follower:
    """Runs lines through a predictor.

    Args:
        predictor: with `clock` as its clock.
        features: the input fields of its model.
        columns: makes what is told of outputs [steps, ...]: by name, one value a step.
        clock: of the predictor.
    """

    def __init__(
        self,
        predictor: StatefulPredictor,
        features: Features,
        columns: Callable[[npt.NDArray[Any]], Mapping[str, Sequence[Any]]],
        clock: Clock,
    ) -> None:
        self._predictor = predictor
        self._features = features
        self._columns = columns
        self._clock = clock
        self._num_lines = 0

    def take(self, lines: Iterable[bytes], when: float) -> Taken:
        """Answers lines, each as if its stream were alone; a line that cannot be used moves nothing.

        Args:
            lines: JSON; see `read_line`.
            when: the time that they came.
        """
        self._clock.time = when
        batch, read = _Batch(), list[tuple[int, Line]]()
        for text in lines:
            self._num_lines += 1
            if text.strip():
                batch.texts[self._num_lines] = text
                try:
                    read.append((self._num_lines, read_line(text, self._features)))
                except LineError as error:
                    batch.refuse(self._num_lines, error)
        self._look_up({line.stream for _, line in read}, batch)
        for number, line in read:
            self._put(number, line, batch)
        self._run_waiting(batch)
        return Taken(answers=[batch.answers[number] for number in sorted(batch.answers)], ran=batch.entries)

    def take_again(self, entry: Entry) -> None:
        """Runs lines once more that ran together before.

        Raises:
            DataError: one of them cannot be used now.
        """
        for answer in self.take(entry.lines, entry.time).answers:
            if "error" in answer:
                raise DataError(f"lines that came before cannot be run again: {answer['error']}")
        self._num_lines = 0

    def _look_up(self, streams: Collection[str], batch: "_Batch") -> None:
        names = list(streams)
        if names:
            batch.next_step |= zip(names, self._predictor.steps_of(names).tolist(), strict=True)

    def _put(self, number: int, line: Line, batch: "_Batch") -> None:
        """Lets a line wait for those that came with it; runs them first where it cannot run along."""
        waits, fits = line.stream in batch.streams, self._fits(line, batch)
        is_full = len(batch.streams) == self._predictor.max_streams
        if (waits and (line.reset or not fits)) or (not waits and fits and is_full):
            self._run_waiting(batch)
            fits = self._fits(line, batch)
        expected = self._expected(line, batch)
        if not fits:
            batch.refuse(number, _out_of_order(line, expected))
            return
        batch.waiting[number] = line
        batch.streams.add(line.stream)
        batch.next_step[line.stream] = expected + len(line.values)

    def _fits(self, line: Line, batch: "_Batch") -> bool:
        return line.step in (None, self._expected(line, batch))

    def _expected(self, line: Line, batch: "_Batch") -> int:
        """The number of the next step of a line's stream, after the lines that wait."""
        if line.stream not in batch.next_step:
            self._look_up([line.stream], batch)
        return 0 if line.reset else batch.next_step[line.stream]

    def _run_waiting(self, batch: "_Batch") -> None:
        lines, batch.waiting = batch.waiting, {}
        batch.streams.clear()
        batch.next_step.clear()
        self._run(lines, batch)

    def _run(self, lines: Mapping[int, Line], batch: "_Batch") -> None:
        """Runs lines together; those of streams that cannot go on one by one, so that each is told what it comes to."""
        if not lines:
            return
        try:
            self._answer(lines, batch)
        except StreamInputError as error:
            at_fault = {number: line for number, line in lines.items() if line.stream in error.reasons}
            if not at_fault:
                raise
            if len(lines) == 1:
                ((number, line),) = lines.items()
                batch.refuse(number, LineError(None, f"{error.reasons[line.stream]}.", line.stream))
                return
            self._run({number: line for number, line in lines.items() if number not in at_fault}, batch)
            for number, line in at_fault.items():
                if self._fits(line, batch):
                    self._run({number: line}, batch)
                else:
                    batch.refuse(number, _out_of_order(line, self._expected(line, batch)))

    def _answer(self, lines: Mapping[int, Line], batch: "_Batch") -> None:
        anew = {line.stream for line in lines.values() if line.reset}
        streams = [line.stream for line in lines.values()]
        first = dict(zip(streams, self._predictor.steps_of(streams).tolist(), strict=True)) | dict.fromkeys(anew, 0)
        lengths = [len(line.values) for line in lines.values()]
        ids = [line.stream for line in lines.values() for _ in line.values]
        outputs = self._predictor.step(ids, np.concatenate([line.values for line in lines.values()]), anew=anew)
        parts = np.split(outputs.cpu().numpy(), np.cumsum(lengths)[:-1])
        for (number, line), part in zip(lines.items(), parts, strict=True):
            columns = self._columns(part)
            told = {name: values[0] for name, values in columns.items()} if line.is_one else columns
            batch.answers[number] = {"stream": line.stream, "step": first[line.stream], **told}
            first[line.stream] += len(line.values)
        batch.entries.append(Entry(time=self._clock.time, lines=[batch.texts[number] for number in lines]))
        batch.next_step.clear()


@dataclass(slots=True)
class _Batch:
    """Lines by their numbers, on their way to answers."""

    texts: dict[int, bytes] = field(default_factory=dict)
    waiting: dict[int, Line] = field(default_factory=dict)
    streams: set[str] = field(default_factory=set)
    """Of the lines that wait."""
    next_step: dict[str, int] = field(default_factory=dict)
    """Of each stream that was looked up, after the lines that wait."""
    entries: list[Entry] = field(default_factory=list)
    answers: dict[int, Answer] = field(default_factory=dict)

    def refuse(self, number: int, error: LineError) -> None:
        """Answers a line with what is wrong with it."""
        known = {"stream": error.stream, "field": error.field}
        self.answers[number] = {"error": str(error), "line": number} | {
            name: value for name, value in known.items() if value is not None
        }


def _out_of_order(line: Line, expected: int) -> LineError:
    assert line.step is not None
    what = "it came already" if line.step < expected else f"steps {expected} to {line.step - 1} are missing before it"
    return LineError(
        STEP,
        f"field {STEP!r} is {line.step}, and the next step of stream {line.stream!r} is {expected}: {what}. "
        f'Send step {expected}, or start the stream anew with "reset": true.',
        line.stream,
    )
