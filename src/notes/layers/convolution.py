r"""Convolution, from one image and one kernel to a whole layer.

What deep learning calls a convolution is a cross-correlation: the kernel is not turned around.
The `corr2d` functions show each step with loops; `conv2d` does the same for a batch, fast.

Shapes: `B` batch, `C` channels of the input, `O` channels of the output, `H` and `W` height and
width of the image, `h` and `w` of the kernel, `H'` and `W'` of the output.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from notes.checks import as_pair, check_floating, check_not_empty, check_same, check_shape
from notes.layers.windows import output_size, sliding_windows


def corr2d(image: Tensor, kernel: Tensor) -> Tensor:
    r"""Cross-correlation of one image with one kernel.

    Lay the kernel on the image, multiply what lies on each other, add it all up, move on:

    $$Y_{ij} = \sum_{a=0}^{h-1} \sum_{b=0}^{w-1} X_{i+a,\,j+b} \, K_{ab}$$

    Args:
        image: $X$, `(H, W)`, floating point.
        kernel: $K$, `(h, w)`, of the same dtype, not larger than the image.

    Returns:
        $Y$, `(H - h + 1, W - w + 1)`: one number for each place where the kernel fits.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If an argument is not a matrix, is empty, or the kernel does not fit.

    Source:
        LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998),
        https://doi.org/10.1109/5.726791

    Examples:
        >>> image = torch.arange(9.0).reshape(3, 3)
        >>> corr2d(image, torch.tensor([[0.0, 1.0], [2.0, 3.0]]))
        tensor([[19., 25.],
                [37., 43.]])

    Explained in:
        [Convolution][convolution]
    """
    check_shape("image", image, "H", "W")
    check_shape("kernel", kernel, "h", "w")
    _check_operands("image", image, "kernel", kernel)
    # --8<-- [start:corr2d_loop]
    height, width = kernel.shape
    rows = output_size(image.shape[0], height)
    columns = output_size(image.shape[1], width)
    output = image.new_zeros(rows, columns)
    for row in range(rows):
        for column in range(columns):
            window = image[row : row + height, column : column + width]  # (h, w)
            output[row, column] = (window * kernel).sum()
    # --8<-- [end:corr2d_loop]
    return output


def corr2d_multi_in(image: Tensor, kernel: Tensor) -> Tensor:
    """Cross-correlation of an image of several channels with one kernel.

    Each channel meets its own slice of the kernel; the results are added.

    Args:
        image: `(C, H, W)`, floating point.
        kernel: `(C, h, w)`: one slice for each channel of the image.

    Returns:
        `(H - h + 1, W - w + 1)`: one channel, however many the image has.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the channels differ, an argument is empty, or the kernel does not fit.

    Examples:
        >>> image = torch.arange(9.0).reshape(3, 3)
        >>> kernel = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
        >>> corr2d_multi_in(torch.stack([image, image + 1]), torch.stack([kernel, kernel + 1]))
        tensor([[ 56.,  72.],
                [104., 120.]])

    Explained in:
        [Several channels in][several-channels-in]
    """
    check_shape("image", image, "C", "H", "W")
    check_shape("kernel", kernel, image.shape[0], "h", "w")
    _check_operands("image", image, "kernel", kernel)
    # --8<-- [start:corr2d_multi_in_sum]
    parts = [corr2d(channel, part) for channel, part in zip(image, kernel, strict=True)]
    return torch.stack(parts).sum(dim=0)
    # --8<-- [end:corr2d_multi_in_sum]


def corr2d_multi_in_out(image: Tensor, kernels: Tensor) -> Tensor:
    """Cross-correlation with several kernels: each makes one channel of the output.

    Args:
        image: `(C, H, W)`, floating point.
        kernels: `(O, C, h, w)`: `O` kernels, each with one slice for each channel of the image.

    Returns:
        `(O, H - h + 1, W - w + 1)`.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the channels differ, an argument is empty, or the kernels do not fit.

    Examples:
        >>> image = torch.arange(18.0).reshape(2, 3, 3)
        >>> corr2d_multi_in_out(image, torch.ones(5, 2, 2, 2)).shape
        torch.Size([5, 2, 2])

    Explained in:
        [Several channels out][several-channels-out]
    """
    check_shape("image", image, "C", "H", "W")
    check_shape("kernels", kernels, "O", image.shape[0], "h", "w")
    _check_operands("image", image, "kernels", kernels)
    # --8<-- [start:corr2d_multi_in_out_stack]
    return torch.stack([corr2d_multi_in(image, kernel) for kernel in kernels])
    # --8<-- [end:corr2d_multi_in_out_stack]


def corr2d_1x1(image: Tensor, kernels: Tensor) -> Tensor:
    """Cross-correlation with 1x1 kernels: a linear layer at every pixel.

    A 1x1 kernel sees one pixel, so it can only mix the channels. Pixels are the examples and
    channels the features: the whole layer is one product of matrices.

    Args:
        image: `(C, H, W)`, floating point.
        kernels: `(O, C, 1, 1)`.

    Returns:
        `(O, H, W)`.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the channels differ, an argument is empty, or the kernels are not 1x1.

    Source:
        Lin et al., "Network In Network" (2013), https://arxiv.org/abs/1312.4400

    Examples:
        >>> image = torch.arange(8.0).reshape(2, 2, 2)
        >>> difference = torch.tensor([[-1.0, 1.0]]).reshape(1, 2, 1, 1)
        >>> corr2d_1x1(image, difference)
        tensor([[[4., 4.],
                 [4., 4.]]])

    Explained in:
        [A dense layer at every pixel][a-dense-layer-at-every-pixel]
    """
    check_shape("image", image, "C", "H", "W")
    check_shape("kernels", kernels, "O", image.shape[0], 1, 1)
    _check_operands("image", image, "kernels", kernels)
    # --8<-- [start:corr2d_1x1_product]
    pixels = image.flatten(start_dim=1)  # (C, H * W)
    mixed = kernels.flatten(start_dim=1) @ pixels  # (O, H * W)
    return mixed.reshape(-1, *image.shape[1:])  # (O, H, W)
    # --8<-- [end:corr2d_1x1_product]


def conv2d(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    r"""A convolutional layer for a batch: `corr2d_multi_in_out` with stride, padding and bias.

    $$Y_{noij} = b_o + \sum_{c} \sum_{a} \sum_{b} X_{n,c,\,si+da,\,sj+db} \, W_{ocab}$$

    with stride $s$ and dilation $d$, where $X$ has zeros around it as far as the padding goes.

    Args:
        images: $X$, `(B, C, H, W)`, floating point. An empty batch gives an empty output.
        weight: $W$, `(O, C, h, w)`.
        bias: $b$, `(O,)`, or none.
        stride: Pixels from one window to the next, `(down, across)` or one number for both.
        padding: Rows of zeros above and below, and columns left and right.
        dilation: Pixels from one entry of the kernel to the next; 1 leaves no gaps.

    Returns:
        `(B, O, H', W')`; `output_size` says how large.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the channels differ, the kernel does not fit, or a number is too small.

    Examples:
        >>> images = torch.ones(1, 1, 3, 3)
        >>> conv2d(images, torch.ones(1, 1, 3, 3), padding=1)
        tensor([[[[4., 6., 4.],
                  [6., 9., 6.],
                  [4., 6., 4.]]]])

    Explained in:
        [Padding and stride][padding-and-stride]
    """
    check_shape("images", images, "B", "C", "H", "W")
    check_shape("weight", weight, "O", images.shape[1], "h", "w")
    check_floating("images", images)
    check_same("images", images, "weight", weight)
    check_not_empty("weight", weight)
    rows, columns = as_pair("padding", padding, minimum=0)
    padded = F.pad(images, (columns, columns, rows, rows))  # (B, C, H + 2 rows, W + 2 columns)
    windows = sliding_windows(
        padded,
        (weight.shape[2], weight.shape[3]),
        stride=stride,
        dilation=dilation,
    )  # (B, C, H', W', h, w)
    # Fast because the windows are a view and the sum over c, a and b is one matrix product for
    # all places, kernels and images, where corr2d takes a step of Python for each place.
    output = torch.einsum("ncijab,ocab->noij", windows, weight)  # (B, O, H', W')
    if bias is None:
        return output
    check_shape("bias", bias, weight.shape[0])
    check_same("images", images, "bias", bias)
    return output + bias[:, None, None].to(output.dtype)  # another one under autocast only


def _check_operands(name1: str, tensor1: Tensor, name2: str, tensor2: Tensor) -> None:
    check_floating(name1, tensor1)
    check_same(name1, tensor1, name2, tensor2)
    check_not_empty(name1, tensor1)
    check_not_empty(name2, tensor2)
