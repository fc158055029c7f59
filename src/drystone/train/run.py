"""A trained run: it predicts, evaluates, and can be opened again from its folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from signal import Signals
from typing import Any

import numpy as np
import pyarrow as pa
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from drystone.core.errors import RunError
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.readers.read import sequences_of
from drystone.train.checkpoint.store import Store
from drystone.train.device import device_of
from drystone.train.export import Source, export
from drystone.train.folder import names
from drystone.train.folder.manifest import Manifest
from drystone.train.loaders import prediction_loader
from drystone.train.loop.evaluator import device_of_model
from drystone.train.model import ModelSpec, SequenceClassifier
from drystone.train.parts import evaluator_of
from drystone.train.predictions import log_probabilities_of
from drystone.train.prepare import Prepared
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import Split
from drystone.train.tasks.classify import codes_of, labels_of
from drystone.train.watch.metrics_log import read_metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Figures over all sequences of one part."""

    sequences: int
    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Run:
    """A trained model and its folder.

    Args:
        path: the run folder.
        settings: what it was trained with.
        schema: the fields and classes of the model.
        split: which sequences were for what.
        model: the trained model.
        is_finished: whether training came to its end.
        stopped_by: the signal that stopped it just now, or None.

    Example:
        >>> import drystone as ds
        >>> seqs = ds.read("japanese-vowels")
        >>> run = ds.fit(seqs, target="speaker", split_column="part", epochs=1, hidden_size=8)
        >>> run.predict(seqs[:2]).column_names[:3]
        ['sequence', 'prediction', 'probability']
    """

    path: Path
    settings: Settings
    schema: Schema
    split: Split
    model: SequenceClassifier
    is_finished: bool = True
    stopped_by: Signals | None = None

    @classmethod
    def open(cls, path: str | Path, device: str = "auto") -> "Run":
        """Opens a run folder, and checks that its files are those that were written.

        A run that was stopped opens with the weights of its newest checkpoint: the best so far, or else the last.

        Raises:
            RunError: no run folder, one with files missing or changed, or one without a checkpoint.
            ConfigError: its settings are damaged, or the device is not there.
        """
        path = Path(path)
        manifest = Manifest.load(path)
        settings = Settings.load(path / names.SETTINGS)
        schema = Schema.load(path / names.SCHEMA)
        model = SequenceClassifier(ModelSpec(schema.features, len(schema.classes), settings))
        is_finished = manifest.status == "finished"
        try:
            model.load_state_dict(load_file(path / names.WEIGHTS) if is_finished else _newest_weights(path, settings))
        except (SafetensorError, RuntimeError, OSError) as error:
            raise RunError(f"{path} does not hold the weights of this run: {error}") from error
        model.to(device_of(device)).eval()
        split = Split.load(path / names.SPLIT)
        return cls(path=path, settings=settings, schema=schema, split=split, model=model, is_finished=is_finished)

    @classmethod
    def of(cls, prepared: Prepared, path: Path, stopped_by: Signals | None) -> "Run":
        """Returns the run that a training left, with its model as it is on its device."""
        run = cls(
            path=path,
            settings=prepared.settings,
            schema=prepared.schema,
            split=prepared.split,
            model=prepared.model.eval(),
            is_finished=Manifest.read(path).status == "finished",
            stopped_by=stopped_by,
        )
        if not run.is_finished:
            run.model.load_state_dict(_newest_weights(path, run.settings))
        return run

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The records of metrics.jsonl: one an epoch, one an evaluation, and one for the test part."""
        return read_metrics(self.path / names.METRICS)

    def __repr__(self) -> str:
        epochs = sum(record["part"] == "train" for record in self.metrics)
        end = "" if self.is_finished else ", stopped"
        words = f"{self.schema.target!r} in {len(self.schema.classes)} classes, {so_many(epochs, 'epoch')}{end}"
        tests = [f", test accuracy {record['accuracy']:.3f}" for record in self.metrics if record["part"] == "test"]
        return f"Run({str(self.path)!r}: {words}{''.join(tests)})"

    def predict(self, seqs: Any) -> pa.Table:
        """Returns one row a sequence, in their order; takes sequences, or what `drystone.read` takes.

        The columns: `sequence` (its index), the sequence id where there is one (under its own name), `prediction`, its `probability`,
        and `p_CLASS` for every class.

        Raises:
            DataError: fields that the model needs are missing, of another shape, or not finite.
        """
        seqs = sequences_of(seqs)
        probabilities = np.exp(self._log_probabilities(seqs))
        classes = self.schema.classes
        columns: dict[str, Any] = {"sequence": np.arange(len(seqs))}
        if seqs.sequence_id is not None:
            taken = {*columns, "prediction", "probability", *(f"p_{name}" for name in classes)}
            name = seqs.sequence_id if seqs.sequence_id not in taken else f"{seqs.sequence_id}_id"
            columns[name] = seqs.field(seqs.sequence_id).to_arrow()
        columns["prediction"] = pa.array([classes[number] for number in probabilities.argmax(axis=1).tolist()])
        columns["probability"] = probabilities.max(axis=1)
        columns |= {f"p_{name}": probabilities[:, number] for number, name in enumerate(classes)}
        return pa.table(columns)

    def evaluate(self, seqs: Any) -> Scores:
        """Returns loss and accuracy over all of the sequences; takes sequences, or what `drystone.read` takes.

        Raises:
            DataError: as `predict`; or a label is missing or was not seen in training.
        """
        seqs = sequences_of(seqs)
        codes = codes_of(labels_of(seqs, self.schema.target), self.schema.classes, seqs, self.schema.target)
        self.schema.features.check(seqs)
        loader = prediction_loader(seqs, self.schema.features, device_of_model(self.model))
        figures = evaluator_of(loader, codes, self.schema).figures(self.model)
        if np.isnan(figures["loss"]):
            self._log_probabilities(seqs)  # names the sequence
        return Scores(sequences=len(seqs), loss=figures["loss"], accuracy=figures["accuracy"])

    def export(self, path: str | Path, *, to: str = "keras", overwrite: bool = False) -> dict[str, Any]:
        """Writes the model for another framework, without drystone in it, with the outputs of `predict`.

        To "keras": a plain `.keras` model of Keras' own layers, which loads on every backend.
        To "torch": a folder with the source of a plain PyTorch module around `nn.LSTM`, and its weights.
        To "onnx": one `.onnx` file. Where onnxruntime is installed, it is checked against PyTorch before it is kept.

        All take `x`, [rows, steps, features], in the units of the training data, whose real steps come first in each
        row; which those are is said by `valid`, bool [rows, steps], in Keras and by `lengths`, int64 [rows], in the
        others, which also take and return the LSTM's state.

        Args:
            path: what to write, whole or not at all; ends in .keras, .torch or .onnx.
            to: "keras", "torch" or "onnx".
            overwrite: whether what is there may be replaced.

        Returns:
            What the model says of itself, in its `drystone.json` or its metadata: inputs, columns, outputs, target,
            classes in order.

        Raises:
            ConfigError: another format or ending.
            DataError: something is in the way, or there is no such folder.
            RunError: to Keras or ONNX, a feature that float32, in which they compute, cannot hold well enough.
            MissingExtraError: a library that the format needs is not installed.

        Example:
            >>> import drystone as ds
            >>> seqs = ds.read("japanese-vowels")
            >>> run = ds.fit(seqs, target="speaker", split_column="part", epochs=1, hidden_size=8, progress=False)
            >>> about = run.export("vowels.torch", to="torch")
            >>> sorted(path.name for path in Path("vowels.torch").iterdir())
            ['drystone.json', 'model.py', 'weights.safetensors']
        """
        source = Source(settings=self.settings, schema=self.schema, model=self.model)
        return export(source, Path(path), to=to, overwrite=overwrite)

    def _log_probabilities(self, seqs: Sequences) -> Any:
        self.schema.features.check(seqs)
        return log_probabilities_of(self.model, seqs)


def _newest_weights(path: Path, settings: Settings) -> Mapping[str, Tensor]:
    checkpoint, _ = Store(path / names.CHECKPOINTS).newest()
    if checkpoint is None:
        raise RunError(
            f"training of {path} was stopped before its first checkpoint; "
            f"resume it: drystone fit --resume {quote(str(path))}"
        )
    return checkpoint.best if checkpoint.best and settings.keep == "best" else checkpoint.state["trainer"]["model"]
