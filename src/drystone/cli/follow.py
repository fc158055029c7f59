"""`drystone predict --follow`: predictions for lines as they come, each stream with its own state."""

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drystone.cli.incoming import Incoming
from drystone.cli.interrupts import INTERRUPTED
from drystone.cli.options import flag_of
from drystone.cli.outgoing import write_all
from drystone.core.errors import ConfigError
from drystone.core.words import so_many
from drystone.train.interrupts import StopRequest, stop_request

if TYPE_CHECKING:
    from drystone.train import Run
    from drystone.train.follow.follower import Answer, Follower
    from drystone.train.follow.kept_state import KeptState

PANEL = "Streams, with --follow"
SAVE_SECONDS = 30.0
STANDARD_INPUT, STANDARD_OUTPUT = 0, 1  # their handles
NOBODY_READS = 1  # the exit code
MAX_SHOWN = 8  # streams


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowOptions:
    """How streams are followed.

    Args:
        state: the file that states are kept in.
        save_seconds: between savings; None for `SAVE_SECONDS`.
        max_streams, forget_seconds: bounds of memory.
    """

    state: Annotated[
        Path | None,
        typer.Option(
            help="Keep the states of all streams here, also over a crash: .safetensors.",
            metavar="FILE",
            rich_help_panel=PANEL,
        ),
    ] = None
    save_seconds: Annotated[
        float | None,
        typer.Option(
            help=f"Seconds between savings (default {SAVE_SECONDS:g}); a journal holds what comes between.",
            rich_help_panel=PANEL,
        ),
    ] = None
    max_streams: Annotated[
        int | None, typer.Option(help="Hold so many states; forget the least recently used.", rich_help_panel=PANEL)
    ] = None
    forget_seconds: Annotated[
        float | None, typer.Option(help="Forget streams that were silent for so long.", rich_help_panel=PANEL)
    ] = None

    def __post_init__(self) -> None:
        if self.state is not None and not self.state.name:
            raise ConfigError("--state names no file; name one, such as states.safetensors.")
        for name in ("save_seconds", "max_streams", "forget_seconds"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"{flag_of(name)} is {value}; it must be above 0.")


def follow(run: "Run", options: FollowOptions) -> None:
    """Answers the lines of standard input until it ends, or a signal stops it."""
    from drystone.train.follow.start import followed_by

    for name, handle in (("input", STANDARD_INPUT), ("output", STANDARD_OUTPUT)):
        _check_open(name, handle)
    follower, predictor, kept = followed_by(
        run, options.state, max_streams=options.max_streams, forget_after=options.forget_seconds
    )
    with stop_request() as request, kept.held(follower.take_again) if kept is not None else nullcontext():
        if os.isatty(STANDARD_INPUT):
            typer.echo("waiting for lines of JSON; Ctrl-D ends.", err=True)
        if options.state is not None:
            _say_where(predictor, options.state)
        try:
            with _saved_at_the_end(kept):
                _answer_all(follower, kept, options.save_seconds or SAVE_SECONDS, request)
        except BrokenPipeError:
            typer.echo("nobody reads the predictions any more; stopped.", err=True)
            raise typer.Exit(NOBODY_READS) from None
    if request.by == SIGINT:
        raise typer.Exit(INTERRUPTED)


def _answer_all(follower: "Follower", kept: "KeptState | None", save_seconds: float, request: StopRequest) -> None:
    from drystone.train.follow.line import MAX_BYTES

    saved = time.monotonic()
    for lines in Incoming(STANDARD_INPUT, MAX_BYTES).batches(lambda: request.by is not None):
        if lines:
            taken = follower.take(lines, time.time())
            if kept is not None:
                for entry in taken.ran:
                    kept.add(entry)
            _write(taken.answers)
        if kept is not None and time.monotonic() - saved >= save_seconds:
            kept.save()
            saved = time.monotonic()


@contextmanager
def _saved_at_the_end(kept: "KeptState | None") -> Iterator[None]:
    try:
        yield
    finally:
        if kept is not None:
            kept.save()


def _write(answers: "Iterable[Answer]") -> None:
    lines = (json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers)
    write_all(STANDARD_OUTPUT, "".join(lines).encode("utf-8", "replace"))


def _say_where(predictor: Any, state: Path) -> None:
    streams = predictor.streams
    if not streams:
        typer.echo(f"{state}: no states yet; every stream starts from zeros.", err=True)
        return
    recent = streams[: -MAX_SHOWN - 1 : -1]
    steps = zip(recent, predictor.steps_of(recent).tolist(), strict=True)
    shown = ", ".join(f"{stream} from step {step}" for stream, step in steps)
    more = f", and {len(streams) - len(recent)} more" if len(streams) > len(recent) else ""
    typer.echo(f"{state}: going on with {so_many(len(streams), 'stream')}: {shown}{more}", err=True)


def _check_open(name: str, handle: int) -> None:
    try:
        os.fstat(handle)
    except OSError:
        raise ConfigError(f"standard {name} is closed; --follow answers lines of standard input.") from None
