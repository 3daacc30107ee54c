import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from notes.inspect import summarize


def test_a_linear_layer_costs_one_multiply_add_per_weight():
    (layer,) = summarize(nn.Linear(4, 3), (4,)).layers
    assert (layer.kind, layer.output_shape) == ("Linear", (1, 3))
    assert (layer.num_parameters, layer.multiply_adds) == (15, 12)


def test_a_linear_layer_applied_at_each_position_costs_its_weights_times_the_positions():
    assert summarize(nn.Linear(4, 3), (5, 4)).multiply_adds == 5 * 12


@pytest.mark.parametrize(
    ("module", "shape", "expected"),
    [
        pytest.param(nn.Linear(4, 3), (5, 4), 5 * 4 * 3, id="linear"),
        pytest.param(nn.Conv1d(2, 3, 3), (2, 10), 8 * 3 * 2 * 3, id="1-D"),
        pytest.param(nn.Conv2d(2, 4, 3, padding=1), (2, 5, 5), 25 * 4 * 2 * 9, id="2-D"),
        pytest.param(nn.Conv2d(4, 4, 3, groups=4), (4, 5, 5), 9 * 4 * 9, id="depthwise"),
        pytest.param(nn.Conv3d(1, 2, 2), (1, 3, 3, 3), 8 * 2 * 8, id="3-D"),
        pytest.param(nn.ConvTranspose2d(2, 3, 2, stride=2), (2, 5, 5), 25 * 2 * 3 * 4, id="up"),
        pytest.param(nn.RNN(3, 4, batch_first=True), (7, 3), 7 * (12 + 16), id="RNN"),
        pytest.param(nn.LSTM(3, 4, 2, batch_first=True), (7, 3), 7 * 16 * (3 + 3 * 4), id="LSTM"),
        pytest.param(nn.GRUCell(3, 4), (3,), 12 * (3 + 4), id="cell"),
    ],
)
def test_the_cost_is_the_one_computed_by_hand(module, shape, expected):
    cost = summarize(module, shape).multiply_adds
    assert cost == expected
    assert isinstance(cost, int)


@given(
    channels=st.integers(1, 4),
    outputs=st.integers(1, 4),
    kernel=st.integers(1, 3),
    size=st.integers(3, 8),
    stride=st.integers(1, 3),
)
def test_a_convolution_costs_kernel_times_channels_at_each_output(
    channels, outputs, kernel, size, stride
):
    module = nn.Conv2d(channels, outputs, kernel, stride=stride)
    positions = ((size - kernel) // stride + 1) ** 2
    expected = positions * outputs * channels * kernel**2
    assert summarize(module, (channels, size, size)).multiply_adds == expected


def test_shared_parameters_count_once():
    shared = nn.Linear(4, 4)
    summary = summarize(nn.Sequential(shared, shared), (4,))
    assert [layer.num_parameters for layer in summary.layers] == [20, 0]
    assert summary.multiply_adds == 32


class WithOwnScale(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return self.linear(x) * self.scale


def test_parameters_beside_children_are_listed_too():
    summary = summarize(WithOwnScale(), (4,))
    assert [(x.kind, x.num_parameters) for x in summary.layers] == [
        ("Linear", 20),
        ("WithOwnScale", 4),
    ]
    assert summary.num_parameters == 24


def test_a_layer_that_does_not_run_is_not_listed():
    class Idle(WithOwnScale):
        def forward(self, x):
            return x * self.scale

    (layer,) = summarize(Idle(), (4,)).layers
    assert (layer.kind, layer.num_parameters) == ("Idle", 4)


def test_the_table_has_a_row_for_each_layer_and_aligned_columns():
    blocks = nn.Sequential(nn.Sequential(nn.Conv2d(1, 10, 3, bias=False), nn.Flatten()))
    assert str(summarize(blocks, (1, 7, 7))).splitlines() == [
        "layer  kind     output    parameters  multiply-adds",
        "0.0    Conv2d   1x10x5x5          90          2,250",
        "0.1    Flatten  1x250              0              0",
        "total                             90          2,250",
    ]


def test_activations_are_all_the_numbers_put_out():
    assert summarize(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), (4,)).num_activations == 6


def test_the_look_changes_nothing_in_the_model():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout()).train()
    model[2].eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    summarize(model, (1, 5, 5))
    assert [m.training for m in model] == [True, True, False]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_it_works_without_memory_on_the_meta_device():
    with torch.device("meta"):
        model = nn.Linear(100_000, 100_000)
    assert summarize(model, (100_000,)).multiply_adds == 10**10


def test_it_follows_the_dtype_of_the_model():
    assert summarize(nn.Linear(2, 2).double(), (2,)).num_parameters == 6


def test_an_input_that_does_not_fit_names_the_layer():
    model = nn.Sequential(nn.Flatten(), nn.Linear(9, 2))
    message = r"input_shape must fit the model, got \(4, 4\): 1 \(Linear\) after \(1, 16\)"
    with pytest.raises(ValueError, match=message):
        summarize(model, (4, 4))
    assert not any(m._forward_hooks for m in model.modules())


def test_an_error_outside_the_layers_names_the_model():
    class Impossible(nn.Sequential):
        def forward(self, x):
            return x.reshape(7)

    message = r"input_shape must fit the model, got \(4,\): model: shape '\[7\]' is invalid"
    with pytest.raises(ValueError, match=message):
        summarize(Impossible(nn.ReLU()), (4,))


def test_a_model_without_parameters_has_shapes_too():
    assert summarize(nn.Flatten(), (2, 3)).layers[0].output_shape == (1, 6)


def test_an_embedding_takes_integers():
    summary = summarize(nn.Embedding(5, 3), (7,), dtype=torch.long)
    assert summary.layers[0].output_shape == (1, 7, 3)
