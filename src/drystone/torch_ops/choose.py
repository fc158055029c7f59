"""Which kernel runs a layer."""

from collections.abc import Mapping
from types import MappingProxyType

from drystone.core.errors import ShapeError
from drystone.torch_ops.kernel import Kernel, Layer
from drystone.torch_ops.reference import Reference
from drystone.torch_ops.vendor import Vendor

KERNELS: Mapping[str, Kernel] = MappingProxyType({kernel.name: kernel for kernel in (Vendor(), Reference())})


def check_kernel(name: str) -> str:
    """Returns the name of a kernel, or "auto".

    Raises:
        ShapeError: there is no such kernel.
    """
    if name != "auto" and name not in KERNELS:
        raise ShapeError(f"kernel must be auto, {' or '.join(KERNELS)}; got {name!r}.")
    return name


def choose(name: str, layer: Layer) -> Kernel:
    """Returns the kernel of this name, or, for "auto", the first that does not refuse the layer.

    Raises:
        ShapeError: the named kernel refuses the layer; the message says why.
    """
    if name == "auto":
        return next(kernel for kernel in KERNELS.values() if kernel.refuses(layer) is None)
    reason = KERNELS[name].refuses(layer)
    if reason is not None:
        raise ShapeError(f'the {name} kernel cannot run this batch: {reason}. Use kernel="auto".')
    return KERNELS[name]
