"""A batch as plain data, for a checkpoint."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.batch import Batch
from drystone.core.grid import Spans
from drystone.torch.parcel import Parcel


def to_plain(batch: Batch) -> dict[str, Any]:
    """Returns a batch as bytes, numbers, text, lists and dicts."""
    return {
        "shape": list(batch.shape),
        "spans": {field.name: _array(getattr(batch.spans, field.name)) for field in fields(Spans)},
        "step_fields": {name: _array(values) for name, values in batch.step_fields.items()},
        "span_fields": {name: _array(values) for name, values in batch.span_fields.items()},
        "scored": _array(batch.scored),
        "epoch": batch.epoch,
    }


def from_plain(plain: Mapping[str, Any]) -> Batch:
    """Returns the batch that `to_plain` was given."""
    num_rows, num_steps = plain["shape"]
    parcel = Parcel(
        shape=(num_rows, num_steps),
        spans=Spans(**{name: _from(found) for name, found in plain["spans"].items()}),
        step_fields={name: _from(found) for name, found in plain["step_fields"].items()},
        span_fields={name: _from(found) for name, found in plain["span_fields"].items()},
        scored=_from(plain["scored"]),
        epoch=plain["epoch"],
    )
    return parcel.batch()


def _array(values: npt.NDArray[Any]) -> dict[str, Any]:
    content = values.ravel().tolist() if values.dtype.kind == "O" else values.tobytes()
    return {"dtype": values.dtype.str, "shape": list(values.shape), "content": content}


def _from(found: Mapping[str, Any]) -> npt.NDArray[Any]:
    dtype, content = np.dtype(found["dtype"]), found["content"]
    flat = np.array(content, dtype=dtype) if dtype.kind == "O" else np.frombuffer(bytearray(content), dtype)
    return flat.reshape(found["shape"])
