"""Several processes of one command, as torchrun starts them: one of them speaks."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from io import TextIOWrapper

import typer

from drystone.core.errors import DrystoneError
from drystone.train.libraries import need_libraries

LINGER_SECONDS = 1.0  # a launcher ends all processes as soon as one fails: the one that speaks comes first


def is_one_of_many() -> bool:
    """Returns whether a launcher such as torchrun started several processes, of which this is one."""
    return os.environ.get("WORLD_SIZE", "1") != "1" and "RANK" in os.environ


@contextmanager
def one_voice() -> Iterator[None]:
    """Lets only rank 0 print; where another one fails in a way that nobody foresaw, it does too."""
    if not is_one_of_many() or os.environ["RANK"] == "0":
        yield
        return
    voices = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123  (no path of anyone's)
        sys.stdout = sys.stderr = nowhere
        try:
            yield
        except SystemExit as end:
            if end.code:
                time.sleep(LINGER_SECONDS)
            raise
        finally:
            sys.stdout, sys.stderr = voices


def say_error(words: str, *, is_told_elsewhere: bool) -> None:
    """Says what all processes came to; of several the first one that comes to it says so, and no other."""
    if not is_one_of_many():
        typer.echo(words, err=True)
    elif not is_told_elsewhere and _claims_to_speak():
        voice = sys.__stderr__
        if isinstance(voice, TextIOWrapper):
            print(words, file=voice, flush=True)


def _claims_to_speak() -> bool:
    try:
        need_libraries()
        return import_module("drystone.train.ranks.launch").claims_to_speak()  # by name: help pages need no framework
    except DrystoneError:  # they do not find each other, or a library is missing
        return os.environ["RANK"] == "0"


@contextmanager
def failing_together() -> Iterator[None]:
    """Ends the command on all processes where one of them fails inside."""
    if is_one_of_many():
        from drystone import train

        together = train.current_ranks().together()
    else:
        together = nullcontext()
    with together:
        yield
