"""Weights with a structure: identity, orthogonal and sparse.

Every function here fills its argument in place, leaves autograd out of it, and returns the tensor.
A generator must live on the device of the tensor, as in `torch.nn.init`.

Shapes: `O` outputs, `I` inputs, `...` the sides of a kernel.
"""

import math

import torch
from torch import Generator, Tensor

from notes.checks import (
    as_integer,
    check_floating,
    check_not_empty,
    check_probability,
    check_shape,
)
from notes.init.simple import normal_


# --8<-- [start:eye_]
def eye_(tensor: Tensor) -> Tensor:
    r"""Fill a matrix with the identity: $w_{ij} = 1$ if $i = j$, else 0.

    A linear layer then passes its inputs on, as many as it has outputs.

    Args:
        tensor: `(O, I)`, floating point; filled in place.

    Raises:
        TypeError: If the tensor is not a floating-point one.
        ValueError: If it is not a matrix.

    Examples:
        >>> eye_(torch.empty(2, 3))
        tensor([[1., 0., 0.],
                [0., 1., 0.]])

    Explained in:
        [Initialization][initialization]
    """
    check_shape("tensor", tensor, "O", "I")
    check_floating("tensor", tensor)
    with torch.no_grad():
        return tensor.copy_(torch.eye(*tensor.shape, dtype=tensor.dtype, device=tensor.device))


# --8<-- [end:eye_]


# --8<-- [start:orthogonal_]
def orthogonal_(tensor: Tensor, gain: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    r"""Fill with a random matrix that turns vectors without stretching them.

    $$W W^\top = \text{gain}^2 \, I \;\text{ if } O \le I, \qquad
    W^\top W = \text{gain}^2 \, I \;\text{ if } O \ge I$$

    A tensor of more dimensions is treated as a matrix of `O` rows.

    Args:
        tensor: `(O, I, ...)`, floating point; filled in place.
        gain: Factor on all entries.
        generator: Draws the matrix. Without one, PyTorch's global generator does.

    Raises:
        TypeError: If the tensor is not a floating-point one.
        ValueError: If it is empty or has fewer than two dimensions.

    Source:
        Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural
        networks" (2013), https://arxiv.org/abs/1312.6120. The signs are those of Mezzadri, "How
        to generate random matrices from the classical compact groups" (2006),
        https://arxiv.org/abs/math-ph/0609050

    Examples:
        >>> weight = orthogonal_(torch.empty(3, 5))
        >>> torch.allclose(weight @ weight.T, torch.eye(3), atol=1e-5)
        True

    Explained in:
        [Initialization][initialization]
    """
    check_shape("tensor", tensor, "O", "I", "...")
    check_floating("tensor", tensor)
    check_not_empty("tensor", tensor)
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    dtype = torch.promote_types(tensor.dtype, torch.float32)  # QR does not know half precision
    noise = torch.empty(rows, columns, dtype=dtype, device=tensor.device)
    noise.normal_(generator=generator)
    q, r = torch.linalg.qr(noise.T if rows < columns else noise)  # Q has orthonormal columns
    # QR itself prefers some signs; with those of R's diagonal every rotation is as likely.
    q = q * r.diagonal().sign()
    with torch.no_grad():
        return tensor.copy_(gain * (q.T if rows < columns else q).reshape(tensor.shape))


# --8<-- [end:orthogonal_]


# --8<-- [start:sparse_]
def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, *, generator: Generator | None = None
) -> Tensor:
    r"""Fill a matrix with $\mathcal{N}(0, \text{std}^2)$, but part of each column with zeros.

    $\lceil \text{sparsity} \cdot O \rceil$ entries of each column are 0: each input reaches only
    some of the outputs.

    Args:
        tensor: `(O, I)`, floating point; filled in place.
        sparsity: The part of each column that is 0, in [0, 1].
        std: Standard deviation of the rest, not negative.
        generator: Draws values *and* places of the zeros. `torch.nn.init.sparse_` of PyTorch
            2.14 draws the places from the global generator, whatever it is given.

    Raises:
        TypeError: If the tensor is not a floating-point one.
        ValueError: If it is not a matrix or a number is out of range.

    Source:
        Martens, "Deep learning via Hessian-free optimization" (2010),
        https://www.cs.toronto.edu/~jmartens/docs/Deep_HessianFree.pdf

    Examples:
        >>> weight = sparse_(torch.empty(10, 4), sparsity=0.25)
        >>> (weight == 0).sum(dim=0)
        tensor([3, 3, 3, 3])

    Explained in:
        [Initialization][initialization]
    """
    check_shape("tensor", tensor, "O", "I")
    check_floating("tensor", tensor)
    check_probability("sparsity", sparsity)
    num_zeros = math.ceil(sparsity * tensor.shape[0])
    # Sorting random numbers shuffles the rows, in each column for itself.
    draws = torch.rand(tensor.shape, generator=generator, device=tensor.device)
    places = draws.argsort(dim=0)[:num_zeros]  # (num_zeros, I)
    normal_(tensor, 0.0, std, generator=generator)
    with torch.no_grad():
        return tensor.scatter_(0, places, 0.0)


# --8<-- [end:sparse_]


# --8<-- [start:dirac_]
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    r"""Fill the kernels of a convolution so that it passes its input on.

    Kernel $i$ is 0 but for a 1 in the middle of its slice for channel $i$. With odd kernels and
    "same" padding the first channels come out unchanged.

    Args:
        tensor: `(O, I, ...)` with one to three sides, floating point; filled in place.
        groups: Groups of the convolution; each passes its own channels on.

    Raises:
        TypeError: If the tensor is not a floating-point one.
        ValueError: If it has not three to five dimensions or `O` is no multiple of `groups`.

    Source:
        Zagoruyko and Komodakis, "DiracNets: Training Very Deep Neural Networks Without
        Skip-Connections" (2017), https://arxiv.org/abs/1706.00388

    Examples:
        >>> dirac_(torch.empty(2, 1, 3))
        tensor([[[0., 1., 0.]],
        <BLANKLINE>
                [[0., 0., 0.]]])

    Explained in:
        [Initialization][initialization]
    """
    check_floating("tensor", tensor)
    groups = as_integer("groups", groups)
    if tensor.dim() not in (3, 4, 5):
        raise ValueError(f"tensor must have 3, 4 or 5 dimensions, got {tensor.dim()}")
    if tensor.shape[0] % groups:
        raise ValueError(f"groups must divide the {tensor.shape[0]} kernels, got {groups}")
    per_group = tensor.shape[0] // groups
    middle = [side // 2 for side in tensor.shape[2:]]
    with torch.no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(per_group, tensor.shape[1])):
                tensor[(group * per_group + channel, channel, *middle)] = 1.0
    return tensor


# --8<-- [end:dirac_]
