"""State files: all streams come back as they were, and what does not fit changes nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import drystone as ds
from drystone.torch import LSTM, StatefulPredictor
from drystone.torch.streaming import snapshot
from tests.torch.streaming.models import FEATURES, KINDS, Clock, make


def values(num_rows: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal((num_rows, FEATURES))


@pytest.mark.parametrize("kind", KINDS)
def test_all_streams_go_on_as_if_nothing_had_happened(kind: str, tmp_path: Path) -> None:
    clock = Clock()
    settings: dict[str, Any] = {"max_streams": 4, "forget_after": 10, "clock": clock}
    first = StatefulPredictor(make(kind), **settings)
    first.step(["a", "ü", "c", "d"], values(4))
    clock.seconds += 6
    first.step(["a", "\ud800", "ü"], values(3, 1))
    path = tmp_path / "states.safetensors"
    first.save(path)
    second = StatefulPredictor(make(kind), **settings)
    second.step(["other"], values(1))
    second.load(path)
    ids = ["d", "a", "\ud800", "c", "ü"]
    assert second.streams == first.streams == ["d", "a", "\ud800", "ü"]
    assert second.steps_of(ids).tolist() == first.steps_of(ids).tolist() == [1, 2, 1, 0, 2]
    assert second.num_forgotten == first.num_forgotten == 1
    clock.seconds += 5
    assert second.streams == first.streams == ["a", "\ud800", "ü"]
    ids = ["ü", "new", "c", "a"]
    found, expected = (predictor.step(ids, values(4, 2)) for predictor in (second, first))
    assert torch.equal(found, expected)
    assert second.streams == first.streams == ids
    second.step(["x"], values(1)), first.step(["x"], values(1))
    assert second.streams == first.streams == ["new", "c", "a", "x"]


def test_a_predictor_without_streams_can_be_saved_too(tmp_path: Path) -> None:
    path = tmp_path / "states.safetensors"
    StatefulPredictor(make("lstm")).save(path)
    predictor = StatefulPredictor(make("lstm"))
    predictor.step(["a"], values(1))
    predictor.load(path)
    assert predictor.streams == []
    assert predictor.step(["a"], values(1)).shape == (1, 4)


def test_all_streams_forgotten_can_be_saved_and_go_on(tmp_path: Path) -> None:
    path = tmp_path / "states.safetensors"
    predictor = StatefulPredictor(make("lstm"))
    expected = predictor.step(["a"], values(1))
    predictor.forget(["a"])
    predictor.save(path)
    predictor.load(path)
    assert torch.equal(predictor.step(["a"], values(1)), expected)


def test_of_more_streams_than_fit_the_last_used_are_loaded(tmp_path: Path) -> None:
    path = tmp_path / "states.safetensors"
    large = StatefulPredictor(make("lstm"))
    large.step(["a", "b", "c"], values(3))
    large.step(["a"], values(1))
    large.save(path)
    small = StatefulPredictor(make("lstm"), max_streams=2)
    small.load(path)
    assert (small.streams, small.num_forgotten) == (["c", "a"], 1)
    assert torch.equal(small.step(["a", "c"], values(2)), large.step(["a", "c"], values(2)))


def damaged(path: Path) -> list[bytes]:
    whole = path.read_bytes()
    cut = [whole[:stop] for stop in (0, 7, 100, len(whole) - 1)]
    flipped = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 13)]
    return [*cut, *flipped, whole + b"0"]


def test_a_damaged_file_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "states.safetensors"
    predictor = StatefulPredictor(make("lstm"))
    predictor.step(["a", "b"], values(2))
    predictor.save(path)
    predictor.step(["b"], values(1))
    for content in damaged(path):
        path.write_bytes(content)
        with pytest.raises(ds.DataError, match=r"states\.safetensors"):
            predictor.load(path)
    assert predictor.steps_of(["a", "b"]).tolist() == [1, 2]


def test_what_does_not_fit_is_refused_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = StatefulPredictor(make("lstm"))
    predictor.step(["a"], values(1))
    path = tmp_path / "states.safetensors"
    predictor.save(path)
    other = make("lstm")
    with torch.no_grad():
        other.weight_hh_l0[0, 0] += 1e-9
    refused = {
        "another model: its weights": StatefulPredictor(other),
        "3 features; here are 4": StatefulPredictor(make("lstm"), num_features=4),
        "another model": StatefulPredictor(lambda x, state: (x, x[:, -1][None])),
    }
    for message, receiver in refused.items():
        with pytest.raises(ds.DataError, match=message):
            receiver.load(path)
        assert receiver.streams == []
    monkeypatch.setattr(snapshot, "VERSION", 2)
    with pytest.raises(ds.DataError, match="has version 1; this drystone reads version 2"):
        predictor.load(path)
    assert predictor.steps_of(["a"]).tolist() == [1]


def test_states_of_another_form_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "states.safetensors"
    one = StatefulPredictor(lambda x, state: (x, x[:, -1][None]))
    two = StatefulPredictor(lambda x, state: (x, x[:, -1][None].double()))
    for predictor in (one, two):
        predictor.step(["a"], values(1))
    one.save(path)
    with pytest.raises(ds.DataError, match=r"of another form than \[1, 1, 3\] float64"):
        two.load(path)
    assert two.streams == ["a"]


def test_other_files_are_refused(tmp_path: Path) -> None:
    predictor = StatefulPredictor(make("lstm"))
    with pytest.raises(ds.DataError, match="there is no file"):
        predictor.load(tmp_path / "missing.safetensors")
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ds.DataError, match="holds no streams, or is damaged"):
        predictor.load(tmp_path / "other.safetensors")
    with pytest.raises(ds.DataError, match="there is no folder"):
        predictor.save(tmp_path / "missing" / "states.safetensors")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "states.safetensors"
    predictor = StatefulPredictor(make("lstm"))
    predictor.step(["a"], values(1))
    predictor.save(path)
    before = path.read_bytes()

    def full(tensors: Any, to: Path, metadata: Any) -> None:
        Path(to).write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(snapshot, "save_file", full)
    with pytest.raises(OSError, match="no space left"):
        predictor.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_file_holds_one_state_a_stream_and_no_free_slots(tmp_path: Path) -> None:
    path = tmp_path / "states.safetensors"
    predictor = StatefulPredictor(LSTM(FEATURES, 4))
    predictor.step([str(number) for number in range(5)], values(5))
    predictor.forget(["1", "3"])
    predictor.save(path)
    with safe_open(path, "pt") as file:
        assert file.get_tensor("state.0").shape == (1, 3, 4)
