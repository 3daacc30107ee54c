import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from notes.init.structured import dirac_, eye_, orthogonal_, sparse_


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_layer_with_the_identity_passes_its_inputs_on():
    inputs = torch.tensor([[1.0, 2.0, 3.0]])
    assert F.linear(inputs, eye_(torch.empty(3, 3))).tolist() == [[1, 2, 3]]
    assert F.linear(inputs, eye_(torch.empty(2, 3))).tolist() == [[1, 2]]
    assert F.linear(inputs, eye_(torch.empty(4, 3))).tolist() == [[1, 2, 3, 0]]


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_a_convolution_with_dirac_kernels_passes_its_channels_on(dimensions):
    convolution = [F.conv1d, F.conv2d, F.conv3d][dimensions - 1]
    inputs = torch.randn(2, 3, *[5] * dimensions, generator=seeded())
    weight = dirac_(torch.empty(3, 3, *[3] * dimensions))
    assert torch.equal(convolution(inputs, weight, padding=1), inputs)


def test_more_dirac_kernels_than_channels_give_empty_channels():
    inputs = torch.randn(1, 2, 4, 4, generator=seeded())
    output = F.conv2d(inputs, dirac_(torch.empty(3, 2, 3, 3)), padding=1)
    assert torch.equal(output[:, :2], inputs)
    assert (output[:, 2] == 0).all()


def test_each_column_has_the_number_of_zeros_of_the_notes():
    weight = sparse_(torch.empty(10, 4), 0.25, generator=seeded())
    assert (weight == 0).sum(dim=0).tolist() == [3, 3, 3, 3]


def test_what_is_not_zero_has_the_given_spread():
    weight = sparse_(torch.empty(200, 100), 0.5, std=0.2, generator=seeded())
    assert weight[weight != 0].std().item() == pytest.approx(0.2, abs=0.01)


def test_the_zeros_of_two_columns_lie_in_different_places():
    weight = sparse_(torch.empty(50, 2), 0.5, generator=seeded())
    assert not torch.equal(weight[:, 0] == 0, weight[:, 1] == 0)


def test_a_seeded_generator_decides_about_all_of_a_sparse_matrix():
    torch.manual_seed(0)
    first = sparse_(torch.empty(10, 4), 0.5, generator=seeded(1))
    torch.manual_seed(1)
    assert torch.equal(sparse_(torch.empty(10, 4), 0.5, generator=seeded(1)), first)


@settings(deadline=None, max_examples=25)
@given(rows=st.integers(1, 6), columns=st.integers(1, 6), seed=st.integers(0, 1000))
def test_an_orthogonal_matrix_keeps_lengths_times_the_gain(rows, columns, seed):
    weight = torch.empty(rows, columns, dtype=torch.float64)
    orthogonal_(weight, gain=3.0, generator=seeded(seed))
    product = weight @ weight.T if rows <= columns else weight.T @ weight
    expected = 9.0 * torch.eye(min(rows, columns), dtype=torch.float64)
    torch.testing.assert_close(product, expected)


def test_orthogonal_kernels_are_orthogonal_as_rows():
    weight = orthogonal_(torch.empty(4, 2, 3, 3), generator=seeded())
    rows = weight.flatten(start_dim=1)
    torch.testing.assert_close(rows @ rows.T, torch.eye(4))


def test_orthogonal_works_in_half_precision():
    weight = orthogonal_(torch.empty(3, 3, dtype=torch.bfloat16), generator=seeded())
    torch.testing.assert_close(weight.float() @ weight.float().T, torch.eye(3), atol=0.02, rtol=0)


@pytest.mark.parametrize(
    "rule", [eye_, orthogonal_, lambda w: sparse_(w, 0.5)], ids=["eye", "orthogonal", "sparse"]
)
def test_rules_fill_a_parameter_in_place_and_return_it(rule):
    weight = nn.Linear(3, 2).weight
    before = weight.detach().clone()
    assert rule(weight) is weight
    assert not torch.equal(weight, before)
    assert weight.requires_grad
    assert weight.grad_fn is None


@pytest.mark.parametrize(
    ("rule", "shape", "message"),
    [
        pytest.param(eye_, (3,), r"tensor must have shape \(O, I\), got \(3,\)", id="eye"),
        pytest.param(
            lambda w: sparse_(w, 0.5),
            (2, 3, 1),
            r"tensor must have shape \(O, I\), got \(2, 3, 1\)",
            id="sparse",
        ),
        pytest.param(
            orthogonal_, (3,), r"tensor must have shape \(O, I, ...\), got \(3,\)", id="orthogonal"
        ),
        pytest.param(
            orthogonal_, (0, 3), r"tensor must not be empty, got shape \(0, 3\)", id="empty"
        ),
        pytest.param(dirac_, (3, 3), "tensor must have 3, 4 or 5 dimensions, got 2", id="dirac"),
        pytest.param(
            lambda w: dirac_(w, groups=2),
            (3, 3, 3),
            "groups must divide the 3 kernels, got 2",
            id="groups",
        ),
        pytest.param(
            lambda w: dirac_(w, groups=0),
            (3, 3, 3),
            "groups must be at least 1, got 0",
            id="no group",
        ),
        pytest.param(
            lambda w: sparse_(w, 1.5), (2, 3), r"sparsity must lie in \[0, 1\], got 1.5", id="part"
        ),
        pytest.param(
            lambda w: sparse_(w, 0.5, -1.0), (2, 3), "std must be at least 0, got -1.0", id="std"
        ),
    ],
)
def test_what_does_not_fit_is_rejected(rule, shape, message):
    with pytest.raises(ValueError, match=message):
        rule(torch.empty(shape))


@pytest.mark.parametrize(
    ("rule", "shape"),
    [
        (eye_, (2, 2)),
        (orthogonal_, (2, 2)),
        (lambda w: sparse_(w, 0.5), (2, 2)),
        (dirac_, (2, 2, 3)),
    ],
    ids=["eye", "orthogonal", "sparse", "dirac"],
)
def test_integers_are_rejected(rule, shape):
    with pytest.raises(
        TypeError, match=r"tensor must be a floating-point tensor, got torch\.int64"
    ):
        rule(torch.zeros(shape, dtype=torch.long))


@pytest.mark.parametrize("shape", [(2, 5), (5, 2)])
def test_eye_agrees_with_torch(shape):
    assert torch.equal(eye_(torch.empty(shape)), nn.init.eye_(torch.empty(shape)))


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (4, 2, 3, 3)])
def test_the_same_seed_gives_the_orthogonal_matrix_of_torch(shape):
    mine = orthogonal_(torch.empty(shape), 2.0, generator=seeded(3))
    other = nn.init.orthogonal_(torch.empty(shape), 2.0, generator=seeded(3))
    torch.testing.assert_close(mine, other)


@pytest.mark.parametrize(
    ("shape", "groups"), [((6, 2, 3), 1), ((6, 2, 4, 5), 3), ((4, 8, 1, 2, 3), 2)]
)
def test_dirac_agrees_with_torch(shape, groups):
    mine, other = dirac_(torch.empty(shape), groups), nn.init.dirac_(torch.empty(shape), groups)
    assert torch.equal(mine, other)


@settings(deadline=None, max_examples=25)
@given(rows=st.integers(1, 12), sparsity=st.floats(0, 1))
def test_sparse_has_as_many_zeros_as_that_of_torch(rows, sparsity):
    mine = sparse_(torch.empty(rows, 3), sparsity, generator=seeded())
    other = nn.init.sparse_(torch.empty(rows, 3), sparsity, generator=seeded())
    assert torch.equal((mine == 0).sum(dim=0), (other == 0).sum(dim=0))
