"""A trained run: it predicts, evaluates, and can be opened again from its folder."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shlex import quote
from signal import Signals
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from drystone.core.errors import ConfigError, DataError, RunError
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.torch.streaming.predictor import StatefulPredictor
from drystone.train.checkpoint.store import Store
from drystone.train.device import device_of
from drystone.train.export import Source, export
from drystone.train.features.encode import encoded
from drystone.train.features.tokens import UNKNOWN_WORDS, unknown_shares
from drystone.train.folder import names
from drystone.train.folder.manifest import Manifest
from drystone.train.loop.evaluator import device_of_model
from drystone.train.model import RunModel
from drystone.train.own_data import OwnData
from drystone.train.pictures import check_free, draw, pictures_of, title_of
from drystone.train.prepare import Prepared
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import Split
from drystone.train.targets import with_target
from drystone.train.tasks.find import task_of
from drystone.train.tasks.task import Scores
from drystone.train.truncation import TRUNCATED, Truncated, truncated, warn_of_truncated
from drystone.train.watch.metrics_log import read_metrics


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Run(OwnData):
    """A trained model and its folder.

    Args:
        path: the run folder.
        settings: what it was trained with.
        schema: the fields and outputs of the model.
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

    model: RunModel
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
        model = task_of(settings, schema).new_model()
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
            schema=prepared.task.schema,
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

    @property
    def _device(self) -> torch.device:
        return device_of_model(self.model)

    @property
    def unknown_words(self) -> dict[str, float]:
        """The share of words that training did not see in each part, 0 to 1; nothing where the model reads no text."""
        return self._statistics.get(UNKNOWN_WORDS, {})

    @property
    def truncated(self) -> dict[str, Truncated]:
        """What was left out of the sequences of each part, longer than `max_steps`; nothing where it is not set."""
        return {part: Truncated(**found) for part, found in self._statistics.get(TRUNCATED, {}).items()}

    @property
    def _statistics(self) -> dict[str, Any]:
        return json.loads((self.path / names.STATISTICS).read_text(encoding="utf-8"))

    def __repr__(self) -> str:
        epochs = sum(record["part"] == "train" for record in self.metrics)
        end = "" if self.is_finished else ", stopped"
        tests = [
            f", test {self.task.about.write(self.task.about.figure, record[self.task.about.figure])}"
            for record in self.metrics
            if record["part"] == "test"
        ]
        return f"Run({str(self.path)!r}: {self.task}, {so_many(epochs, 'epoch')}{end}{''.join(tests)})"

    def predict(self, seqs: Any) -> pa.Table:
        """Returns predictions, in the order of the sequences; takes sequences, or what `drystone.read` takes.

        Of classes one row a sequence: `sequence` (its index), the sequence id where there is one (under its own name),
        `prediction`, its `probability`, and `p_CLASS` for every class. Of several labels at once `prediction` is the list of
        those that are yes, and `p_LABEL` the probability of each.

        Of numbers one row a sequence too: `prediction` in the units of the target, or `prediction_0`, `prediction_1`, ... of
        vectors.

        Of forecasts one row a step: `sequence`, the id, `step`, what the steps are ordered by, and `y+1`, `y+2`, ... for a
        target `y`, in its units: what will come after the step, from all steps up to it.

        Of tags one row a step too: `sequence`, the id, `step`, what orders the steps, and `prediction`: a class, with its
        `probability` and `p_CLASS` for every class; or the list of what is yes, and `p_NAME` of each; or a number, or a list of them.

        Of both, learned jointly, one row a sequence: what is said of classes, and the list of its tags, under the name of their
        field. Of language models one row a document: its `tokens`, `loss` (nats a token) and `perplexity`.

        Of longer sequences than `max_steps`, where the run has that, only the first steps are read (of joint tasks, tagged), which
        a warning tells.

        Raises:
            DataError: fields that the model needs are missing, of another shape, or not finite.
        """
        seqs, left_out = self._checked(seqs, "these sequences")
        warn_of_truncated(left_out, self.settings.max_steps)
        return self.task.predict(self.model, seqs)

    def evaluate(self, seqs: Any, *, plot: str | Path | None = None, name: str = "these sequences") -> Scores:
        """Returns loss and figures over all of the sequences; takes sequences, or what `drystone.read` takes.

        Of classes: `accuracy` and `f1`, the mean of that of each class; of several labels, or yes/no, `accuracy` is the share
        of sequences, or steps, where all are right, `micro_f1` the F1 of all together, and of tags there is `frame_accuracy`
        (their loss is the negative log-likelihood of a step). Of BIO tags, such as B-city, I-city and O, `chunk_f1` is the F1
        of all chunks, counted as the CoNLL script counts them. Of numbers and forecasts, in the units of the target: `rmse`, `mae`, `r2`; of forecasts
        over all steps whose next values are known.

        `baselines` has the figures of trivial predictions, which know the training part only: "majority class", "marginal" (of
        yes/no), "mean", of forecasts "last value" and, where there is a season, "seasonal".

        Args:
            seqs: the sequences.
            plot: a folder for pictures of the predictions, such as those in the run folder; made where it is not there.
            name: what pictures call the sequences.

        Raises:
            DataError: as `predict`; or a target is missing, or a label was not seen in training; or pictures are in the way.
        """
        if plot is not None:
            check_free(Path(plot))
        seqs, left_out = self._checked(seqs, name)
        evaluator = self.task.evaluator(seqs, self._device)
        figures = evaluator.figures(self.model)
        if np.isnan(figures["loss"]):
            self.task.predict(self.model, seqs)  # names the sequence
        unknown = unknown_shares({name: seqs}, self.schema.features).get(name)
        scores = self.task.scores(seqs, figures)
        scores = replace(
            scores, baselines=self.task.baselines(seqs), unknown_words=unknown, truncated=left_out.get(name)
        )
        if plot is not None:
            Path(plot).mkdir(exist_ok=True)
            title = title_of(self.task, name, asdict(scores))
            draw(pictures_of(self.task, self.model, seqs, title), Path(plot))
        return scores

    def predictor(
        self,
        *,
        max_streams: int | None = None,
        forget_after: float | int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> StatefulPredictor:
        """Returns what predicts over streams that never end, step by step, each with a state of its own.

        Values come as they were in the data, in the order of `schema.features.columns` (of categories the numbers, as
        `Feature.categories` counts them from 1; 0 is unknown; NaN is what misses, with `missing="indicator"` alone: with
        "ffill", give the last value again); predictions are those of `predict` for all steps so far: probabilities in the
        order of `task.output_names`, or numbers or forecasts in the units of the target.

        Args:
            max_streams: the most streams that are held: the least recently used is forgotten first.
            forget_after: seconds after which a stream that was not used is forgotten.
            clock: returns the seconds that `forget_after` counts.

        Raises:
            ConfigError: the model cannot go on step by step, since it reads backward, or was trained on windows or on the
                first steps of sequences.

        Example:
            >>> import drystone as ds
            >>> seqs = ds.read("japanese-vowels")
            >>> settings = {"split_column": "part", "epochs": 1, "hidden_size": 8, "bidirectional": False, "progress": False}
            >>> run = ds.fit(seqs, target="speaker", **settings)
            >>> predictor = run.predictor()
            >>> for step in seqs[0]["x"]:
            ...     found = predictor.step({"recording 1": step})  # the probabilities of the speakers
            >>> bool(abs(found["recording 1"][0] - run.predict(seqs[:1])["p_1"][0].as_py()) < 1e-6)
            True
        """
        if self.settings.max_steps is not None:
            raise ConfigError(
                f"max_steps is {self.settings.max_steps}: the model was trained on the first {self.settings.max_steps} steps "
                f"of sequences, and streams go on after them. Train it without max_steps."
            )
        with torch.inference_mode():
            self.model.advance(torch.zeros(1, 1, self.schema.features.size, dtype=torch.float64).to(self._device))
        return StatefulPredictor(
            self.model.advance,
            num_features=self.schema.features.size,
            dtype=torch.float64,
            missing_allowed=any(field.missing == "indicator" for field in self.schema.features.fields),
            max_streams=max_streams,
            forget_after=forget_after,
            clock=clock,
        )

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
            ConfigError: another format or ending; or a run of another task than classify.
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

    def _checked(self, seqs: Any, name: str) -> tuple[Sequences, dict[str, Truncated]]:
        """Returns what the model reads of sequences, and by their name what it does not, where `max_steps` is set."""
        found = self._read(seqs)
        if not len(found):
            raise DataError("there are no sequences to predict.")
        whole = encoded(with_target(found, self.schema.target, self.settings.bio), self.schema.features)
        kept, left_out = truncated({name: whole}, self.settings.max_steps)
        return kept[name], left_out


def _newest_weights(path: Path, settings: Settings) -> Mapping[str, Tensor]:
    checkpoint, _ = Store(path / names.CHECKPOINTS).newest()
    if checkpoint is None:
        raise RunError(
            f"training of {path} was stopped before its first checkpoint; "
            f"resume it: drystone fit --resume {quote(str(path))}"
        )
    return checkpoint.best if checkpoint.best and settings.keep == "best" else checkpoint.state["trainer"]["model"]
