"""Arrays from kept memory belong to whoever holds them."""

import gc

import numpy as np
import pytest

from drystone import native

SHAPE = (1000, 50)


def test_arrays_have_the_shape_and_type_asked_for() -> None:
    for shape in ((), (0,), (3, 0), (5, 2), SHAPE):
        for dtype in ("?", "f4", "M8[ns]"):
            array = native.empty(shape, dtype)
            assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
            assert array.flags.c_contiguous
            assert array.flags.writeable


def test_memory_in_use_is_not_handed_out_again() -> None:
    held = [native.empty(SHAPE, "f8") for _ in range(4)]
    views = [array[10:20, ::2] for array in held]
    for number, array in enumerate(held):
        array[:] = number
    del held, array
    gc.collect()
    for other in [native.empty(SHAPE, "f8") for _ in range(8)]:
        other[:] = -1
    for number, view in enumerate(views):
        assert (view == number).all()


@pytest.mark.skipif(native.describe() != "built", reason="NumPy keeps no memory")
def test_dropped_memory_is_used_again() -> None:
    first = native.empty(SHAPE, "f8")
    place = first.ctypes.data
    assert place % 64 == 0
    del first
    again = native.empty((SHAPE[0] * SHAPE[1],), "i8")
    assert again.ctypes.data == place


def test_memory_that_no_machine_has_is_refused_in_pythons_words() -> None:
    import duckdb  # noqa: F401  # it is built with nanobind too, and has errors of its own

    with pytest.raises(MemoryError):
        native.empty((2**60,), "u1")
