"""The files of a run folder."""

from pathlib import Path

MANIFEST = "run.json"
SETTINGS = "config.toml"
ENVIRONMENT = "environment.json"
SCHEMA = "schema.json"
VOCABULARY = "vocabulary.json"
STATISTICS = "statistics.json"
SPLIT = "split.parquet"
PLAN = "plan.zip"
METRICS = "metrics.jsonl"
CHECKPOINTS = "checkpoints"
WEIGHTS = "weights.safetensors"
CURVES = "curves.png"
CONFUSION = "confusion.png"
PREDICTIONS = "predictions.png"
FORECASTS = "forecasts.png"
RESIDUALS = "residuals.png"
TENSORBOARD = "tensorboard"
LOCK = ".lock"

AT_START = (SETTINGS, ENVIRONMENT, SCHEMA, STATISTICS, SPLIT, PLAN)
AT_END = (METRICS, WEIGHTS)
PICTURES = (CURVES, CONFUSION, PREDICTIONS, FORECASTS, RESIDUALS)
"""Which there are depends on the task."""
ALL = frozenset({MANIFEST, *AT_START, VOCABULARY, *AT_END, *PICTURES, CHECKPOINTS, TENSORBOARD, LOCK})

RUNS = Path("runs")
