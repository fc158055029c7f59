"""`drystone generate`: text from a prompt."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "play.txt"
    path.write_text("to be or not to be, that is the question.\n" * 40)
    return path


def test_a_model_of_a_file_writes_text(program: Any, text: Path, tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    small = ("--hidden-size", "8", "--epochs", "1", "--rows", "4", "--steps", "20", "--quiet", "--out", run)
    code, out, err = program("fit", str(text), "--task", "language-model", "--tokens", "characters", *small)
    assert code == 0, err
    assert "unigram" in out
    command = (
        "generate",
        run,
        "--prompt",
        "to be",
        "--tokens",
        "30",
        "--seed",
        "1",
        "--top-k",
        "5",
        "--temperature",
        "0.8",
    )
    code, first, err = program(*command)
    assert (code, err) == (0, "")
    assert first.startswith("to be")
    assert len(first) == len("to be") + 30 + 1
    assert program(*command)[1] == first
    code, out, err = program("evaluate", run, str(text))
    assert code == 0
    assert "perplexity" in out
    assert "tokens" in out
    for bad, words in (("--top-p", "--top-p is 0"), ("--temperature", "temperature")):
        code, out, err = program("generate", run, bad, "0" if bad == "--top-p" else "-1")
        assert code == 2
        assert words in err


def test_other_runs_write_no_text(program: Any, tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    program("fit", "japanese-vowels", "--epochs", "1", "--hidden-size", "4", "--quiet", "--out", run)
    code, _, err = program("generate", run, "--prompt", "a")
    assert code == 2
    assert "text goes on only from a language-model" in err
