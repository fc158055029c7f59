"""The data set in fit and in loops of one's own: the loader's epochs, in the order of its plans."""

import warnings
from typing import Any

import keras
import numpy as np
import pytest

from drystone import (
    Bucketed,
    DataError,
    DrystoneError,
    Layout,
    Loader,
    Packed,
    Padded,
    Sequences,
    Stateful,
    Stream,
    StreamError,
)
from drystone.keras import Dataset
from drystone.torch import batches
from tests.keras.small import LAYOUTS, LENGTHS, First, by_step, loader, sequences

BACKEND = keras.backend.backend()


@keras.saving.register_keras_serializable(package="drystone tests")
class Seen(keras.metrics.Metric):
    """Keeps the sum of all targets of each batch that a model was updated on, in their order."""

    def __init__(self) -> None:
        super().__init__(name="seen")
        self.sums = self.add_variable((64,), "zeros", name="sums")
        self.count = self.add_variable((), "zeros", dtype="int32", name="count")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        here = keras.ops.cast(keras.ops.arange(64) == self.count, "float32")
        self.sums.assign_add(here * keras.ops.sum(keras.ops.cast(y_true, "float32")))
        self.count.assign_add(1)

    def result(self) -> Any:
        return keras.ops.cast(self.count, "float32")


class Record(keras.callbacks.Callback):
    """Reads at the end of each epoch what the metric saw."""

    def __init__(self, metric: Seen) -> None:
        super().__init__()
        self.metric = metric
        self.epochs: list[list[float]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        assert self.model  # on JAX, asking for the model is what brings the variables up to date
        count = int(keras.ops.convert_to_numpy(self.metric.count + 0))
        self.epochs.append(keras.ops.convert_to_numpy(self.metric.sums + 0)[:count].tolist())


def a_model(metric: Any = None) -> keras.Model:
    model = by_step()
    weighted = [] if metric is None else [metric]
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0), weighted_metrics=weighted)
    return model


def dataset(layout: Layout, seqs: Sequences | None = None, y: str = "n") -> Dataset:
    return Dataset(loader(layout, seqs), x=["x", "reset"], y=y)


def sums(epochs: int, layout: Layout, seqs: Sequences | None = None) -> list[list[float]]:
    own = loader(layout, seqs)
    return [[float(batch["n"].sum()) for batch in batches(own)] for _ in range(epochs)]


@pytest.mark.parametrize("layout", [Stateful(rows=2, steps=4), Packed(rows=2, steps=9)], ids=repr)
def test_fit_sees_the_batches_of_pytorch_in_their_order_epoch_for_epoch(layout: Layout) -> None:
    metric = Seen()
    model, record, data = a_model(metric), Record(metric), dataset(layout)
    model.fit(data, epochs=2, verbose=0, callbacks=[record])  # shuffle=True is the default of fit
    model.fit(data, epochs=1, verbose=0, callbacks=[record])
    assert record.epochs == sums(3, layout)
    assert all(sum(epoch) == sum(range(1, sum(LENGTHS) + 1)) for epoch in record.epochs)
    assert data.source.loader.epoch == 3


@pytest.mark.skipif(BACKEND == "torch", reason="Keras has no steps_per_execution there")
def test_several_steps_an_execution_see_the_same_batches() -> None:
    metric, layout = Seen(), Stateful(rows=2, steps=4)
    record, model = Record(metric), a_model(metric)
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0), weighted_metrics=[metric], steps_per_execution=2)
    model.fit(dataset(layout), epochs=2, verbose=0, callbacks=[record])
    assert record.epochs == sums(2, layout)


def test_epochs_of_unequal_numbers_of_batches_are_seen_whole() -> None:
    seqs = sequences([3, 5, 2, 4, 1, 6, 3, 2, 5, 4, 1, 2, 6, 3])
    layout = Packed(rows=2, steps=6, constant_shape=True)
    expected = sums(6, layout, seqs)
    assert len({len(epoch) for epoch in expected}) > 1
    metric = Seen()
    record = Record(metric)
    a_model(metric).fit(dataset(layout, seqs), epochs=6, verbose=0, callbacks=[record])
    assert record.epochs == expected


def test_the_progress_bar_counts_the_batches(capsys: pytest.CaptureFixture[str]) -> None:
    data = dataset(Stateful(rows=2, steps=4))
    a_model().fit(data, epochs=1, verbose=2)
    assert f"{len(data)}/{len(data)} - " in capsys.readouterr().out


def test_batches_of_unequal_steps_after_two_of_equal_steps() -> None:
    layout = Padded(2, order="given")
    data = dataset(layout, sequences([4, 4, 4, 4, 7, 7, 2, 2]))
    assert [batch[0]["x"].shape[1] for batch in data] == [4, 4, 7, 2]
    a_model().fit(data, verbose=0)
    assert data.source.loader.epoch == 2


def test_validation_data_have_epochs_of_their_own() -> None:
    train, validation = dataset(Packed(rows=2, steps=9)), dataset(Packed(rows=2, steps=9), sequences([3, 4, 5]))
    history = a_model().fit(train, epochs=2, verbose=0, validation_data=validation).history
    assert set(history) == {"loss", "val_loss"}
    assert (train.source.loader.epoch, validation.source.loader.epoch) == (2, 2)


def test_a_fit_that_stops_within_an_epoch_begins_it_again() -> None:
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 3:
                raise KeyboardInterrupt

    layout = Stateful(rows=2, steps=4)
    data = dataset(layout)
    assert len(data) == 6
    with pytest.raises(KeyboardInterrupt):
        a_model().fit(data, verbose=0, callbacks=[Stop()])
    assert data.source.loader.epoch == 0
    metric = Seen()
    record = Record(metric)
    a_model(metric).fit(data, verbose=0, callbacks=[record])
    assert record.epochs == sums(1, layout)


@pytest.mark.parametrize("layout", LAYOUTS, ids=repr)
def test_a_loop_of_ones_own_is_the_next_epoch(layout: Layout) -> None:
    data = dataset(layout)
    for expected in sums(2, layout):
        assert len(data) == len(expected)
        assert [float(y.sum()) for _, y, _ in data] == expected
    assert data.source.loader.epoch == 2


def test_outside_an_epoch_any_batch_can_be_looked_at() -> None:
    layout = Stateful(rows=2, steps=4)
    data = dataset(layout)
    looks = [float(data[number][1].sum()) for number in reversed(range(len(data)))]
    assert looks[::-1] == sums(1, layout)[0]
    assert data.source.loader.epoch == 0
    with pytest.raises(IndexError, match=f"there is no batch {len(data)}"):
        data[len(data)]


def test_train_on_batch_takes_them() -> None:
    model = a_model()
    for x, y, weight in dataset(Packed(rows=2, steps=9)):
        assert np.isfinite(float(model.train_on_batch(x, y, weight)))


def test_padding_to_boundaries_gives_few_shapes_so_few_compilations() -> None:
    traces: list[Any] = []

    class Count(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            traces.append(x.shape)
            return x

    rng = np.random.default_rng(3)
    layout = Bucketed(boundaries=(4, 8), batch_size=(4, 3, 3), pad_to="boundary")
    data = dataset(layout, sequences(rng.integers(1, 9, 40).tolist()))
    x, reset = keras.Input((None, 2), name="x"), keras.Input((None,), dtype="bool", name="reset")
    model = keras.Model({"x": x, "reset": reset}, keras.layers.Dense(1)(First()([Count()(x), reset])))
    model.compile(loss="mse", optimizer="sgd")
    traces.clear()
    shapes = {tuple(batch[0]["x"].shape) for batch in data}
    assert shapes == {(4, 4, 2), (3, 8, 2)}
    model.fit(data, epochs=3, verbose=0)
    if BACKEND == "jax":
        assert len([shape for shape in traces if None not in shape]) <= 2 * len(shapes)  # one may be to build the model
    if BACKEND == "tensorflow":
        assert len(traces) <= 3
    assert len(data) > 10


@pytest.mark.parametrize(("method", "name"), [("fit", "steps_per_epoch"), ("evaluate", "steps")])
def test_parts_of_an_epoch_are_refused(method: str, name: str) -> None:
    with pytest.raises(DataError, match=rf"{method}\({name}=2\) would stop within an epoch.*seqs.select"):
        getattr(a_model(), method)(dataset(Stateful(rows=2, steps=4)), verbose=0, **{name: 2})


def test_workers_are_refused() -> None:
    data = dataset(Padded(4))
    with pytest.raises(DataError, match="a Dataset has no workers.*read_ahead"):
        data.workers = 2
    with pytest.raises(DataError, match="a Dataset has no workers"):
        data.use_multiprocessing = True


def test_validation_split_is_refused_by_keras() -> None:
    with pytest.raises(ValueError, match="validation_split"):
        a_model().fit(dataset(Padded(4)), validation_split=0.2, verbose=0)


def test_class_weights_are_refused_by_keras_and_a_field_serves() -> None:
    with pytest.raises(ValueError, match="class_weight"):
        a_model().fit(dataset(Padded(4), y="k"), class_weight={0: 1.0, 1: 2.0}, verbose=0)


def test_a_second_live_pass_is_an_error() -> None:
    own = loader(Padded(4))
    data = Dataset(own, x="x", y="t")
    live = iter(own)
    next(live)
    with pytest.raises(DrystoneError, match="a pass over this loader is still going on"):
        iter(data)
    with pytest.raises(DrystoneError, match="a pass over this loader is still going on"):
        a_model().fit(Dataset(own, x=["x", "reset"], y="t"), verbose=0)


def test_an_epoch_within_an_epoch_is_an_error() -> None:
    class Evaluate(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.evaluate(data, verbose=0)

    data = dataset(Stateful(rows=2, steps=4))
    with pytest.raises(
        DrystoneError, match="evaluate asks for batches within an epoch .* still going on.*second Dataset"
    ):
        a_model().fit(data, verbose=0, callbacks=[Evaluate()])


def test_predict_takes_the_inputs_alone() -> None:
    data = Dataset(loader(Packed(rows=2, steps=9)), x=["x", "reset"], y=None)
    num_batches = len(data)
    assert a_model().predict(data, verbose=0).shape == (2 * num_batches, 9, 1)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="Keras makes a ragged tensor of such outputs there")
def test_predict_says_what_to_do_where_outputs_have_several_numbers_of_steps() -> None:
    data, model = Dataset(loader(Padded(4)), x=["x", "reset"], y=None), a_model()
    with pytest.raises(DataError, match=r"output is \(None, None, 1\).*predict_on_batch"):
        model.predict(data, verbose=0)
    outputs = [model.predict_on_batch(x) for (x,) in data]
    assert len({output.shape[1] for output in outputs}) > 1


def test_a_stream_is_refused_with_what_to_do() -> None:
    stream = Stream([{"x": [1.0, 2.0]}], per_step=["x"])
    with pytest.raises(StreamError, match="Read the data into Sequences; or loop over the loader yourself"):
        Dataset(Loader(stream, Padded(1)), x="x", y="x")
    with pytest.raises(DataError, match="expected a drystone.Loader; got Sequences"):
        Dataset(sequences(), x="x", y="x")  # pyright: ignore[reportArgumentType]


def test_reading_ahead_goes_on_where_an_epoch_was_left() -> None:
    data = dataset(Stateful(rows=2, steps=4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in data:
            break
        assert sum(len(y) > 0 for _, y, _ in data) == len(data)
