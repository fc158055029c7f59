"""A Ray cluster on this machine, with two processors."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray.train import RunConfig


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    root = Path(__file__).parents[3]
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        logging_level=logging.ERROR,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": str(root)}},
    )
    yield
    ray.shutdown()


@pytest.fixture
def run_config(tmp_path: Path) -> RunConfig:
    return RunConfig(name="records", storage_path=str(tmp_path / "ray"))
