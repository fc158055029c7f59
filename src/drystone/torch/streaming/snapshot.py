"""All streams in one safetensors file: whole or not there, with a checksum, and no pickle."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from drystone.core.errors import DataError
from drystone.core.storage import whole_file
from drystone.torch.streaming.fingerprint import checksum_of
from drystone.torch.streaming.states import Form

VERSION = 1
RECORD, CHECKSUM = "drystone.streams", "drystone.checksum"  # of the metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a snapshot says of itself, beside its tensors.

    Args:
        version: of the file.
        model: the fingerprint of the model; "" where it has no weights.
        num_features: a step; None before the first.
        structure: of the states; see `nest`.
        num_tensors: of the states; None before the first step.
        num_forgotten: streams that were forgotten for room or time.
    """

    version: int
    model: str
    num_features: int | None
    structure: Any
    num_tensors: int | None
    num_forgotten: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """All streams, the least recently used first.

    Args:
        streams: their ids.
        num_steps: that each has had.
        used_at: when each was used last, in seconds of the predictor's clock.
        state: tensors whose axis 1 is the streams.
        form: of the states; None before the first step.
        model, num_features, num_forgotten: as in the record.
    """

    streams: list[str]
    num_steps: npt.NDArray[np.int64]
    used_at: npt.NDArray[np.float64]
    state: list[Tensor]
    form: Form | None
    model: str
    num_features: int | None
    num_forgotten: int

    def save(self, path: Path) -> None:
        """Writes the file, in place of an older one.

        Raises:
            DataError: there is no such folder, or a folder in its place.
        """
        if path.is_dir():
            raise DataError(f"{path} is a folder; name a file.")
        tensors = self._tensors()
        record = Record(
            version=VERSION,
            model=self.model,
            num_features=self.num_features,
            structure=None if self.form is None else self.form.structure,
            num_tensors=None if self.form is None else len(self.state),
            num_forgotten=self.num_forgotten,
        )
        text = json.dumps(asdict(record))
        with whole_file(path) as partial:
            save_file(tensors, partial, {RECORD: text, CHECKSUM: checksum_of(tensors.items(), text)})
            with partial.open("rb+") as file:
                os.fsync(file.fileno())  # before it takes its name

    @classmethod
    def load(cls, path: Path) -> "Snapshot":
        """Reads a file that `save` wrote.

        Raises:
            DataError: it is missing, damaged, or something else.
        """
        if not path.is_file():
            raise DataError(f"there is no file {path}.")
        try:
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no dict)
        except (SafetensorError, OSError, ValueError) as error:
            raise DataError(f"{path} is no whole file of streams: {error}.") from error
        if not {RECORD, CHECKSUM} <= metadata.keys():
            raise DataError(f"{path} holds no streams, or is damaged: it is not what StatefulPredictor.save writes.")
        if checksum_of(tensors.items(), metadata[RECORD]) != metadata[CHECKSUM]:
            raise DataError(f"{path} is damaged: its checksum is not the one that was saved.")
        return cls._of(_record(path, metadata[RECORD]), tensors)

    def _tensors(self) -> dict[str, Tensor]:
        texts = [stream.encode("utf-8", "surrogatepass") for stream in self.streams]
        own = {
            "ids": np.frombuffer(b"".join(texts), np.uint8).copy(),
            "id_bytes": np.array([len(text) for text in texts], np.int64),
            "num_steps": self.num_steps,
            "used_at": self.used_at,
        }
        state = {f"state.{number}": leaf.contiguous().cpu() for number, leaf in enumerate(self.state)}
        return {name: torch.from_numpy(array) for name, array in own.items()} | state

    @classmethod
    def _of(cls, record: Record, tensors: dict[str, Tensor]) -> "Snapshot":
        state = [tensors[f"state.{number}"] for number in range(record.num_tensors or 0)]
        shapes = tuple(((leaf.shape[0], 1, *leaf.shape[2:]), leaf.dtype) for leaf in state)
        text, stops = tensors["ids"].numpy().tobytes(), tensors["id_bytes"].cumsum(0).tolist()
        return cls(
            streams=[
                text[start:stop].decode("utf-8", "surrogatepass")
                for start, stop in zip([0, *stops], stops, strict=False)
            ],
            num_steps=tensors["num_steps"].numpy(),
            used_at=tensors["used_at"].numpy(),
            state=state,
            form=None if record.num_tensors is None else Form(structure=record.structure, shapes=shapes),
            model=record.model,
            num_features=record.num_features,
            num_forgotten=record.num_forgotten,
        )


def _record(path: Path, text: str) -> Record:
    content = json.loads(text)
    if content["version"] != VERSION:
        raise DataError(f"{path} has version {content['version']}; this drystone reads version {VERSION}.")
    return Record(**content)
