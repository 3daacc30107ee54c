import pytest
import torch
import torch.nn.functional as F
import torchvision.models
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.flop_counter import FlopCounterMode

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
        pytest.param(weight_norm(nn.Linear(4, 3)), (5, 4), 5 * 4 * 3, id="normalized weights"),
        pytest.param(
            weight_norm(nn.RNN(3, 4, batch_first=True), "weight_hh_l0"),
            (7, 3),
            7 * (12 + 16),
            id="RNN with normalized weights",
        ),
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


def test_a_layer_that_does_not_run_counts_in_the_row_around_it():
    class Idle(WithOwnScale):
        def forward(self, x):
            return x * self.scale

    (layer,) = summarize(Idle(), (4,)).layers
    assert (layer.kind, layer.num_parameters) == ("Idle", 24)


class WithIdleHead(nn.Module):
    """As networks with a second head for training; there is no row around the head."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.head = nn.Linear(4, 1_000)

    def forward(self, x):
        return self.linear(x) @ torch.ones(4, 7)


def test_what_is_in_no_row_has_a_line_of_its_own():
    summary = summarize(WithIdleHead(), (4,))
    assert (summary.parameters_elsewhere, summary.multiply_adds_elsewhere) == (5_000, 28)
    assert str(summary).splitlines() == [
        "layer      kind    output  parameters  multiply-adds",
        "linear     Linear  1x4             20             16",
        "elsewhere                       5,000             28",
        "total                           5,020             44",
    ]


class Attention(nn.Module):
    """Calls its layer with keywords, two inputs of which are names for one."""

    def __init__(self, **options):
        super().__init__()
        self.attend = nn.MultiheadAttention(8, 2, **options)

    def forward(self, x):
        return self.attend(query=x, key=x, value=x)[0]


@pytest.mark.parametrize("batch_first", [True, False])
def test_attention_owns_its_output_projection_and_costs_both_of_its_products(batch_first):
    (layer,) = summarize(Attention(batch_first=batch_first), (6, 8)).layers
    length, batch = (6, 1) if batch_first else (1, 6)
    assert layer.num_parameters == 4 * 8 * 8 + 4 * 8
    assert layer.multiply_adds == 6 * 4 * 8 * 8 + batch * 2 * length**2 * 8


def test_normalized_weights_are_part_of_their_layer():
    (layer,) = summarize(nn.Sequential(weight_norm(nn.Linear(4, 3))), (4,)).layers
    assert (layer.name, layer.kind) == ("0", "Linear")
    assert layer.num_parameters == 3 + 12 + 3  # lengths, directions, biases


class WithWeightsInAList(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = nn.ParameterList([torch.ones(4, 5), torch.ones(5, 3)])
        self.last = nn.Linear(3, 2)

    def forward(self, x):
        for weight in self.weights:
            x = x @ weight
        return self.last(input=x)


def test_weights_in_a_list_belong_to_the_module_that_uses_them():
    summary = summarize(WithWeightsInAList(), (4,))
    assert [(x.kind, x.num_parameters, x.multiply_adds) for x in summary.layers] == [
        ("Linear", 8, 6),
        ("WithWeightsInAList", 35, 35),
    ]


class Tied(nn.Module):
    """The last layer is the first one read backwards, and lends its weights without running."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Embedding(9, 4), nn.Linear(4, 9)
        self.last.weight = self.first.weight

    def forward(self, x):
        return {"logits": F.linear(self.first(x), self.last.weight, self.last.bias)}


def test_weights_with_two_names_count_once_where_they_run():
    summary = summarize(Tied(), (3,), dtype=torch.long)
    assert [layer.num_parameters for layer in summary.layers] == [36]
    assert (summary.parameters_elsewhere, summary.num_parameters) == (9, 45)
    assert summary.multiply_adds == 3 * 36


def test_a_layer_that_runs_twice_has_two_rows_and_costs_twice():
    class Twice(nn.Sequential):
        def forward(self, x):
            return super().forward(super().forward(x))

    summary = summarize(Twice(nn.Linear(4, 4)), (4,))
    assert [(x.num_parameters, x.multiply_adds) for x in summary.layers] == [(20, 16), (0, 16)]


def test_the_first_tensor_of_an_output_is_its_shape():
    class Detector(nn.Linear):
        def forward(self, x):
            return {"none": None, "maps": [super().forward(x), x]}

    (layer,) = summarize(Detector(4, 3), (4,)).layers
    assert layer.output_shape == (1, 3)


def test_lazy_layers_take_their_shape_and_idle_ones_count_nothing():
    class Lazy(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.LazyLinear(3), nn.LazyLinear(3)

        def forward(self, x):
            return self.used(x)

    assert summarize(Lazy(), (4,)).num_parameters == 15


def nested(draw_from):
    """Networks in networks, some parts of which are shared, run twice or not at all."""
    return st.recursive(
        st.sampled_from(draw_from),
        lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda parts: Some(*parts)),
        max_leaves=8,
    )


class Some(nn.ModuleList):
    def __init__(self, *parts):
        super().__init__(parts)

    def forward(self, x):
        for number, part in enumerate(self):
            x = part(x) if number % 3 < 2 else x
        return x


SHARED = nn.Linear(4, 4)
PARTS = [
    SHARED,
    nn.Linear(4, 4),
    nn.Sequential(nn.Linear(4, 7), nn.Linear(7, 4)),
    WithOwnScale(),
    weight_norm(nn.Linear(4, 4)),
    nn.Tanh(),
]


@given(nested(PARTS))
def test_all_parameters_are_counted_once(model):
    expected = sum(parameter.numel() for parameter in model.parameters())
    assert summarize(model, (4,)).num_parameters == expected


@pytest.mark.parametrize(
    "name", ["vit_b_16", "swin_t", "googlenet", "densenet121", "resnext50_32x4d"]
)
def test_parameters_and_cost_are_those_that_torchvision_states(name):
    known = torchvision.models.get_model_weights(name).DEFAULT.meta
    options = {"init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):
        model = torchvision.models.get_model(name, **options)
    summary = summarize(model, (3, 224, 224))
    assert summary.num_parameters == sum(p.numel() for p in model.parameters())
    # torchvision leaves out what GoogLeNet has for training only.
    assert summary.num_parameters - summary.parameters_elsewhere == known["num_params"]
    assert summary.multiply_adds / 1e9 == pytest.approx(known["_ops"], abs=5e-4)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_recurrent_layers_cost_what_pytorch_counts_without_fast_kernels(kind):
    with torch.device("meta"):
        model = kind(3, 4, num_layers=2, bidirectional=True, batch_first=True)
        with FlopCounterMode(display=False) as counter:
            model(torch.zeros(1, 7, 3))
    summary = summarize(model.to_empty(device="cpu"), (7, 3))
    assert summary.multiply_adds == counter.get_total_flops() // 2 > 0
    assert summary.multiply_adds_elsewhere == 0


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
    assert torch.backends.mha.get_fastpath_enabled()


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


def test_any_error_of_a_layer_is_one_of_the_input():
    model = nn.Sequential(nn.Flatten(0), nn.BatchNorm1d(2))
    message = r"got \(4,\): 1 \(BatchNorm1d\) after \(4,\): expected 2D or 3D input"
    with pytest.raises(ValueError, match=message):
        summarize(model, (4,))


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
