"""Which kernel runs a layer."""

from collections.abc import Mapping
from types import MappingProxyType

from drystone.core.errors import ShapeError
from drystone.torch_ops.fused import Fused
from drystone.torch_ops.kernel import Kernel, Layer
from drystone.torch_ops.reference import Reference
from drystone.torch_ops.vendor import Vendor

# fastest first: "auto" takes the first that does not refuse
KERNELS: Mapping[str, Kernel] = MappingProxyType({kernel.name: kernel for kernel in (Fused(), Vendor(), Reference())})


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


def explain(name: str, layer: Layer) -> str:
    """Returns one line a kernel: which one runs the layer under this name or "auto", and why each other does not."""
    refusals = {kernel.name: kernel.refuses(layer) for kernel in KERNELS.values()}
    able = [kernel for kernel, reason in refusals.items() if reason is None]
    wanted = able[0] if name == "auto" else name
    return "\n".join(f"{kernel}: {_verdict(kernel, refusals[kernel], wanted, name)}" for kernel in KERNELS)


def _verdict(kernel: str, reason: str | None, wanted: str, name: str) -> str:
    if reason is not None:
        return f"refused: {reason}"
    if kernel == wanted:
        return "runs, the first that can" if name == "auto" else f"runs, as kernel={name!r} asks"
    return f"not needed: {wanted} runs and comes first" if name == "auto" else f"not asked for: kernel={name!r}"
