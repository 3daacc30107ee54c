"""Sliding windows: where a convolution or a pooling layer looks.

Shapes: `B` batch, `C` channels, `H` and `W` height and width of the image, `h` and `w` of the
window, `H'` and `W'` of the output: one place for each position of the window.
"""

from torch import Tensor

from notes.checks import as_integer, as_pair, check_shape


def output_size(
    size: int,
    window: int,
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
) -> int:
    r"""How many positions a window has along one side of an image.

    $$\text{output} =
    \left\lfloor \frac{n + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1$$

    with side $n$, padding $p$, window $k$, dilation $d$ and stride $s$.

    Args:
        size: Side of the image in pixels.
        window: Side of the window.
        stride: Pixels from one position to the next.
        padding: Pixels added at each of the two ends.
        dilation: Pixels from one entry of the window to the next; 1 leaves no gaps.
        ceil_mode: Round up instead of down: keep a last window that sticks out of the padded
            image, by less than the stride, if it starts inside the image or the padding before it.

    Raises:
        ValueError: If an argument is too small or the window does not fit even once.

    Source:
        Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016),
        https://arxiv.org/abs/1603.07285

    Examples:
        >>> output_size(5, 3), output_size(5, 3, padding=1), output_size(5, 3, stride=2)
        (3, 5, 2)

    Explained in:
        [The size][the-size]
    """
    size, window = as_integer("size", size), as_integer("window", window)
    stride, dilation = as_integer("stride", stride), as_integer("dilation", dilation)
    padding = as_integer("padding", padding, minimum=0)
    # --8<-- [start:output_size_rule]
    reach = dilation * (window - 1) + 1
    room = size + 2 * padding - reach
    if ceil_mode:
        room += stride - 1  # so far the last window may stick out
    if room < 0:
        raise ValueError(
            f"window must fit into the padded image of {size + 2 * padding} pixels, got {reach}"
        )
    steps = room // stride
    if ceil_mode and steps * stride >= size + padding:
        steps -= 1  # this window would start in the padding behind the image, and see no pixel
    return steps + 1
    # --8<-- [end:output_size_rule]


def sliding_windows(
    images: Tensor,
    window: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    """Every window of every image, as a view: nothing is copied.

    Neighboring windows share pixels, and here they share the memory too. So it costs nothing to
    name all windows at once, and one operation on all of them replaces a Python loop. Do not
    write into the result: one place would change several windows.

    Args:
        images: `(B, C, H, W)`, any dtype.
        window: Height and width of the window, or one number for both.
        stride: Pixels from one window to the next, `(down, across)` or one number for both.
        dilation: Pixels from one entry of the window to the next.

    Returns:
        `(B, C, H', W', h, w)`: for each position the window that starts there.

    Raises:
        ValueError: If the images are not `(B, C, H, W)` or the window is larger than the image.

    Examples:
        >>> import torch
        >>> image = torch.arange(9).reshape(1, 1, 3, 3)
        >>> sliding_windows(image, (2, 2))[0, 0, 1, 0]
        tensor([[3, 4],
                [6, 7]])

    Explained in:
        [At the border][at-the-border]
    """
    check_shape("images", images, "B", "C", "H", "W")
    sizes, strides = as_pair("window", window), as_pair("stride", stride)
    dilations = as_pair("dilation", dilation)
    windows = images
    for dim in (0, 1):
        side, step, gap = sizes[dim], strides[dim], dilations[dim]
        output_size(images.shape[2 + dim], side, stride=step, dilation=gap)  # does it fit?
        windows = windows.unfold(2 + dim, gap * (side - 1) + 1, step)
    return windows[..., :: dilations[0], :: dilations[1]]  # (B, C, H', W', h, w)
