"""The progress bar of long reading: on a terminal, after a moment, and gone at the end."""

from functools import partial
from threading import Timer

import pytest
from rich.console import Console

from drystone.readers import progress as module
from drystone.readers.progress import progress


class AtOnce(Timer):
    def start(self) -> None:
        self.function()
        self.function = lambda: None
        super().start()


def test_nothing_is_shown_where_there_is_no_terminal(monkeypatch, capsys):
    monkeypatch.setattr(module, "Timer", AtOnce)
    with progress("reading", 10) as tell:
        tell(10)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("timer", "is_shown"), [(AtOnce, True), (Timer, False)])
def test_on_a_terminal_it_is_shown_after_a_moment(monkeypatch, capsys, timer, is_shown):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(module, "console", partial(Console, stderr=True))
    monkeypatch.setattr(module, "Timer", timer)
    with progress("reading pumps", 2_000_000) as tell:
        tell(500_000)
    printed = capsys.readouterr()
    assert ("reading pumps" in printed.err) is is_shown
    assert printed.out == ""
