"""Prediction over streams that never end, one carried state a stream."""

from drystone.torch.streaming.predictor import StatefulPredictor

__all__ = ["StatefulPredictor"]
