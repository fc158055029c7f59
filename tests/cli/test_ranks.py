"""`torchrun -m drystone fit`: several processes that look like one."""

import subprocess
import sys
from pathlib import Path

import pytest

from drystone.train import Run

pytestmark = pytest.mark.slow
LAUNCH = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "-m", "drystone", "fit"]
SMALL = ["--epochs", "2", "--hidden-size", "4"]


def run(folder: Path, *arguments: str) -> tuple[int, list[str], list[str]]:
    done = subprocess.run([*LAUNCH, *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def test_one_folder_one_voice_and_a_line_on_waiting(tmp_path: Path) -> None:
    code, said, shown = run(tmp_path, "japanese-vowels", *SMALL)
    assert code == 0
    assert [line.split(" ")[0] for line in said] == ["train", "test", "run"]
    assert len([line for line in shown if line.startswith("epoch 2/2")]) == 1
    assert len([line for line in shown if line.startswith("waited for other ranks: rank 0 ")]) == 1
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["japanese-vowels-1"]
    assert Run.open(tmp_path / "runs" / "japanese-vowels-1").is_finished


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing.csv", "--target", "y"), "error: there is no file nothing.csv"),
        (("japanese-vowels", "--hidden-size", "0"), "error: hidden_size"),
        (("japanese-vowels", "--no-such-option"), "No such option"),
    ],
)
def test_what_the_user_got_wrong_is_said_once(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    code, said, shown = run(tmp_path, *arguments)
    assert code != 0
    assert not said
    assert len([line for line in shown if words in line]) == 1
    assert any("exitcode  : 2" in line for line in shown)
    assert not [line for line in shown if "Traceback" in line and "drystone" in line]
    assert not list(tmp_path.iterdir())
