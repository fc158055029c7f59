"""Text on the command line."""

from pathlib import Path
from typing import Any

import pytest

ROWS = "".join(f"{'pos' if n % 2 else 'neg'},{'fein' if n % 2 else 'übel'} {n}\n" for n in range(20))
FAST = ["--target", "label", "--features", "review", "--epochs", "2", "--hidden-size", "4", "--quiet"]


@pytest.fixture(autouse=True)
def _data(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(f"label,review\n{ROWS}".encode("latin-1"))
    (tmp_path / "lines.txt").write_bytes("übel 1\n\nfein 2\n".encode("latin-1"))


def test_plan_fit_evaluate_predict(program: Any) -> None:
    how = ["--text", "review", "--encoding", "latin-1"]
    code, out, err = program("plan", "r.csv", *how)
    assert (code, err) == (0, "")
    assert out.startswith("r.csv: 20 sequences of 6 to 7 steps")
    assert program("fit", "r.csv", *how, *FAST)[::2] == (0, "")
    code, out, err = program("evaluate", "runs/r-1", "r.csv")
    assert (code, err) == (0, "")
    lines = ["predict", "runs/r-1", "lines.txt", "--documents", "lines", "--out", "p.csv"]
    code, _, err = program(*lines)
    assert code == 2
    assert "sequence 1, line 2 of lines.txt has length 0" in err
    code, out, err = program(*lines, "--drop-empty")
    assert (code, out) == (0, "2 predictions in p.csv\n")
    assert "dropped 1 empty sequence: 1" in err


@pytest.mark.filterwarnings("always:max_steps")
def test_what_is_truncated_is_told(program: Any) -> None:
    how = ["--text", "review", "--encoding", "latin-1"]
    left_out = "train: 16 steps of 16 longer sequences; test: 4 steps of 4 longer sequences"
    code, out, err = program("fit", "r.csv", *how, *FAST, "--max-steps", "1")
    assert (code, err) == (0, f"warning: max_steps is 1, which leaves out: {left_out}.\n")
    assert f"left out by max_steps: {left_out.replace(':', '')}\n" in out
    code, out, err = program("evaluate", "runs/r-1", "r.csv")
    assert (code, err) == (0, "")
    assert "test left out by max_steps: 4 steps of 4 longer sequences\n" in out
    code, out, err = program("predict", "runs/r-1", "r.csv", "--out", "p.csv")
    assert (code, out) == (0, "20 predictions in p.csv\n")
    assert err == "warning: max_steps is 1, which leaves out: these sequences: 20 steps of 20 longer sequences.\n"


def test_plans_of_every_form_of_text(program: Any, tmp_path: Path) -> None:
    (tmp_path / "t.conll").write_text("EU B-ORG\nrejects O\n\nPeter B-PER\n")
    (tmp_path / "slots").mkdir()
    (tmp_path / "slots" / "seq.in").write_text("play it\n")
    (tmp_path / "slots" / "seq.out").write_text("O O\n")
    (tmp_path / "corpus" / "pos").mkdir(parents=True)
    (tmp_path / "corpus" / "pos" / "1.txt").write_text("good")
    (tmp_path / "corpus" / "beside.txt").write_text("good")
    for data, words in (
        ("t.conll", "2 sequences of 1 to 2 steps"),
        ("slots", "1 sequence of 2 steps"),
        ("corpus", "1 sequence of 4 steps"),
    ):
        code, out, err = program("plan", data)
        assert (code, out.startswith(f"{data}: {words}")) == (0, True)
        assert err == ("left out 1 text file beside the folders of corpus: beside.txt\n" if data == "corpus" else "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plan", "r.csv", "--text", "review"], "byte 0xfc on line 2. Save it as UTF-8, or name its encoding"),
        (["plan", "r.csv", "--encoding", "latin-1"], "such as text='review' (--text review)"),
        (["plan", "r.csv", "--encoding", "latin-l"], "encoding is 'latin-l'"),
        (["plan", "r.csv", "--encoding", "latin-1", "--text", "revue"], "Did you mean 'review'?"),
        (["fit", "r.csv", "--text", "review", *FAST], "byte 0xfc on line 2"),
        (["fit", "r.csv", "--encoding", "latin-l", *FAST], "encoding is 'latin-l'"),
        (["fit", "r.csv", "--documents", "words", *FAST], "documents"),
    ],
)
def test_bad_input_ends_with_a_sentence(program: Any, arguments: list[str], words: str) -> None:
    code, out, err = program(*arguments)
    assert (code, out) == (2, "")
    assert words in " ".join(err.split())
    assert not Path("runs").exists()
