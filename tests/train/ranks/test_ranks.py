"""What ranks tell each other, one alone and several; and what the environment says of them."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

import drystone as ds
from drystone.core.errors import RankError
from drystone.train import Evaluator, Outcome, Recipe, Trainer, current_ranks
from drystone.train.ranks.carried import axis_of_rows
from drystone.train.ranks.compare import check_equal
from drystone.train.ranks.gradients import make_mean
from drystone.train.ranks.launch import is_one_of_many, timeout_in
from tests.train.loop.models import Tagger, by_step, random_sequences
from tests.train.ranks.processes import together, values

LONG = [9, 8, 10, 9, 7]


def test_one_process_is_a_rank_alone() -> None:
    ranks = current_ranks()
    assert (ranks.rank, ranks.num_ranks, ranks.is_first, ranks.is_alone) == (0, 1, True, True)
    before = ranks.now
    ranks.meet()
    assert ranks.now >= before
    assert ranks.waited_seconds == 0
    assert ranks.gathered_by_first(3) == [3]
    assert ranks.by_first(lambda: 4) == 4
    assert ranks.claims_to_speak()
    ranks.asks = lambda: True
    assert ranks.someone_asks
    with pytest.raises(ZeroDivisionError), ranks.together():
        raise ZeroDivisionError


def _talk() -> dict[str, Any]:
    ranks = current_ranks()
    ranks.asks = lambda: ranks.rank == 1
    found: dict[str, Any] = {"asked before": ranks.someone_asks}
    found["sums"] = ranks.sums(np.array([ranks.rank + 1.0, 0.5])).tolist()
    found["asked"], found["now"] = ranks.someone_asks, ranks.now
    found["gathered"] = ranks.gathered(f"of {ranks.rank}")
    found["by first"] = ranks.by_first(lambda: f"made by {ranks.rank}")
    found["gathered by first"] = [each.tolist() for each in ranks.gathered_by_first(torch.tensor([ranks.rank]))]
    found["summed"] = ranks.summed(torch.full((2,), 1.0 + ranks.rank)).tolist()
    tensor = torch.full((2,), float(ranks.rank))
    ranks.made_equal([tensor])
    found["equal"] = tensor.tolist()
    found["speaks"] = ranks.claims_to_speak()
    found["waited"] = ranks.waited_seconds
    return found


def test_ranks_tell_each_other() -> None:
    every = values(3, _talk)
    for found in every:
        assert not found["asked before"]
        assert found["asked"]
        assert found["sums"] == [6.0, 1.5]
        assert found["now"] == every[0]["now"]
        assert found["gathered"] == ["of 0", "of 1", "of 2"]
        assert found["by first"] == "made by 0"
        assert found["summed"] == [6.0, 6.0]
        assert found["equal"] == [0.0, 0.0]
        assert found["waited"] > 0
    assert [found["gathered by first"] for found in every] == [[[0], [1], [2]], [], []]
    assert sum(found["speaks"] for found in every) == 1


def _gradients() -> list[Any]:
    """Four parameters: one with a gradient on every rank, one on rank 1 alone, one nowhere, one of another type."""
    ranks = current_ranks()
    parameters = [torch.nn.Parameter(torch.zeros(2, dtype=torch.float64)) for _ in range(3)]
    parameters.append(torch.nn.Parameter(torch.zeros(1, dtype=torch.float32)))
    for parameter in (parameters[0], parameters[3]):
        parameter.grad = torch.full_like(parameter, 1.0 + ranks.rank)
    if ranks.rank == 1:
        parameters[1].grad = torch.ones_like(parameters[1])
    with_gradient = [parameters[number] for number in (0, 1, 3)]
    loss = make_mean(with_gradient, 0.5, torch.tensor(10.0 + ranks.rank, dtype=torch.float64), ranks)
    return [loss.item(), *(None if each.grad is None else (each.grad.dtype, each.grad.tolist()) for each in parameters)]


def test_gradients_are_summed_whoever_has_them() -> None:
    expected = [
        21.0,
        (torch.float64, [1.5, 1.5]),
        (torch.float64, [0.5, 0.5]),
        None,
        (torch.float32, [1.5]),
    ]
    assert values(2, _gradients) == [expected] * 2


def _differ() -> None:
    ranks = current_ranks()
    check_equal(ranks, {"colour": "red", "size": 3})
    here = {"colour": "red" if ranks.is_first else "blue", "size": 3} | ({"more": 1} if ranks.rank == 1 else {})
    check_equal(ranks, here)


def test_what_differs_is_named_on_all_ranks() -> None:
    expected = (
        "the 2 processes do not see the same: colour is red on rank 0, and blue on rank 1; more is None on rank 0, and 1 on "
        "rank 1. Give all of them the same data, settings and versions."
    )
    assert [str(came.error) for came in together(2, _differ)] == [expected] * 2


def _lost_at_start() -> None:
    current_ranks().meet()


def test_processes_that_do_not_come_are_waited_for_so_long() -> None:
    from tests.train.ranks import processes

    with processes.started(2, _lost_at_start, timeout=3) as (first, second):
        second.kill()
        came = first.came()
    assert isinstance(came.error, RankError)
    assert "the 2 processes did not come together within 3 s" in str(came.error)


def _whole_loader() -> list[str]:
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loader = ds.Loader(random_sequences([3, 4]), ds.Padded(1))
        list(Trainer(Tagger(), loader, by_step, Recipe(epochs=1)).run())
    return [str(each.message) for each in caught]


def test_a_loader_of_all_rows_trains_a_model_a_process_and_says_so() -> None:
    first, second = values(2, _whole_loader)
    assert "one of 2, and its loader has all rows" in first[0]
    assert "Loader(..., rank=1, num_ranks=2)" in second[0]


def test_a_loader_of_another_rank_is_refused() -> None:
    loader = ds.Loader(random_sequences([3, 4]), ds.Padded(1), rank=1, num_ranks=2)
    with pytest.raises(ds.ConfigError, match="this process is rank 0 of 1, and its loader that of rank 1 of 2"):
        Trainer(Tagger(), loader, by_step, Recipe(epochs=1))
    with pytest.raises(ds.ConfigError, match="its loader that of rank 1"):
        Evaluator(by_step, loader)


def test_a_fabric_of_several_devices_is_refused() -> None:
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp")
    with pytest.raises(ds.ConfigError, match="one device of each process"):
        Trainer(Tagger(), ds.Loader(random_sequences([3]), ds.Padded(1)), by_step, Recipe(epochs=1), fabric=fabric)


def _odd(model: Any, batch: Any, _state: Any) -> Outcome:
    found = by_step(model, batch, None)
    return Outcome(loss=found.loss, weight=found.weight, state=torch.zeros(1, 1, batch.shape[0]))


def _odd_goes_on(state: dict[str, Any]) -> None:
    ranks = current_ranks()
    loader = ds.Loader(random_sequences(LONG), ds.Stateful(rows=4, steps=3), rank=ranks.rank, num_ranks=ranks.num_ranks)
    Trainer(Tagger(), loader, _odd, Recipe(epochs=1)).load_state_dict(state)


def test_a_state_whose_rows_are_not_found_is_refused_on_another_number_of_ranks() -> None:
    trainer = Trainer(Tagger(), ds.Loader(random_sequences(LONG), ds.Stateful(rows=4, steps=3)), _odd, Recipe(epochs=1))
    next(trainer.run())
    for came in together(2, _odd_goes_on, trainer.state_dict()):
        assert isinstance(came.error, ds.ConfigError)
        assert "holds a tensor of shape [1, 1, 4] for 4 rows" in str(came.error)


def test_rows_are_where_pytorch_has_them() -> None:
    assert [axis_of_rows(torch.zeros([2] * dims)) for dims in (1, 2, 3, 4)] == [0, 0, 1, 1]


def test_the_environment_says_who_is_one_of_many() -> None:
    world = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}
    assert is_one_of_many(world)
    assert not is_one_of_many({**world, "WORLD_SIZE": "1"})
    assert not is_one_of_many({"WORLD_SIZE": "2"})


def test_the_environment_says_how_long_ranks_are_waited_for() -> None:
    assert timeout_in({}) == timedelta(minutes=30)
    assert timeout_in({"DRYSTONE_RANKS_TIMEOUT": "2.5"}) == timedelta(seconds=2.5)
    for said in ("soon", "0", "-1", "nan"):
        with pytest.raises(ds.ConfigError, match=f"DRYSTONE_RANKS_TIMEOUT is '{said}'; expected a number of seconds"):
            timeout_in({"DRYSTONE_RANKS_TIMEOUT": said})
