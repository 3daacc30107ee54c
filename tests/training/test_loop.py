import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from notes.data.tensor_loader import TensorLoader
from notes.training.loop import evaluate, num_correct, train_epoch


def make_data(num_examples=21):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(num_examples, 4, generator=generator)
    return inputs, (inputs.sum(dim=1) > 0).long()


def make_model(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def sgd(model, lr=0.1):
    return torch.optim.SGD(model.parameters(), lr=lr)


def test_correct_answers_are_counted_by_hand():
    logits = torch.tensor([[0.0, 1.0], [2.0, 1.0], [0.0, 3.0]])
    assert num_correct(logits, torch.tensor([1, 0, 0])) == 2


def test_with_soft_targets_the_largest_share_is_the_right_class():
    logits = torch.tensor([[0.0, 1.0], [2.0, 1.0], [0.0, 3.0]])
    shares = torch.tensor([[0.4, 0.6], [0.1, 0.9], [0.0, 1.0]])
    assert num_correct(logits, shares) == 2


def test_per_pixel_answers_count_as_shares_of_their_image():
    logits = torch.zeros(2, 3, 2, 2)
    logits[:, 1] = 1.0  # every pixel is of class 1
    targets = torch.tensor([[[1, 1], [1, 0]], [[2, 1], [-100, 0]]])
    assert num_correct(logits, targets) == 0.75 + 0.25
    assert num_correct(logits, F.one_hot(targets.clamp(min=0), 3).movedim(-1, 1)) == 0.75 + 0.25


@given(
    logits=st.integers(1, 4).flatmap(
        lambda batch: st.sampled_from([(batch, 2), (batch, 5), (batch, 3, 4), (batch, 4, 2, 3)])
    ),
    is_soft=st.booleans(),
    seed=st.integers(0, 99),
)
def test_never_more_answers_are_right_than_there_are(logits, is_soft, seed):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(logits, generator=generator)
    indices = torch.randint(logits[1], (logits[0], *logits[2:]), generator=generator)
    targets = torch.randn(logits, generator=generator) if is_soft else indices
    assert 0 <= num_correct(scores, targets) <= logits[0]


@pytest.mark.parametrize(
    ("logits", "targets", "message"),
    [
        ((8, 5), (8, 1), r"targets must have shape \(8,\), or that of the logits, got \(8, 1\)"),
        ((8, 5), (8, 4), r"targets must have shape \(8,\), or that of the logits, got \(8, 4\)"),
        ((8, 5), (4,), r"targets must have shape \(8,\), or that of the logits, got \(4,\)"),
        ((8, 5), (8, 6, 6), r"targets must have shape \(8,\), .* got \(8, 6, 6\)"),
        ((8, 5, 6, 6), (8,), r"targets must have shape \(8, 6, 6\), .* got \(8,\)"),
        (
            (8, 1),
            (8, 1),
            r"logits must have shape \(B, K, ...\) with at least 2 classes .* \(8, 1\)",
        ),
        ((8,), (8,), r"logits must have shape .* got \(8,\) \(give other metrics\)"),
    ],
)
def test_answers_of_another_shape_are_refused_and_not_counted(logits, targets, message):
    with pytest.raises(ValueError, match=message):
        num_correct(torch.zeros(logits), torch.zeros(targets))


def test_mixed_batches_train_with_the_usual_metric():
    inputs, targets = make_data(32)
    shares = F.one_hot(targets, 2).float()
    mixed = (0.7 * inputs + 0.3 * inputs.flip(0), 0.7 * shares + 0.3 * shares.flip(0))
    model = make_model()
    assert 0 <= train_epoch(model, [mixed], F.cross_entropy, sgd(model))["accuracy"] <= 1


def test_one_step_is_gradient_descent_by_hand():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 2.0)
    batch = (torch.tensor([[3.0]]), torch.tensor([[0.0]]))
    result = train_epoch(model, [batch], F.mse_loss, sgd(model), metrics={})
    assert result == {"loss": 36.0}
    assert model.weight.item() == pytest.approx(2.0 - 0.1 * 2 * 6 * 3)


def test_an_epoch_equals_the_bare_loop_bit_by_bit():
    model, bare = make_model(), make_model()
    optimizer, batches = sgd(bare), TensorLoader(*make_data(), batch_size=8)
    train_epoch(model, batches, F.cross_entropy, sgd(model))
    for inputs, targets in batches:
        optimizer.zero_grad()
        F.cross_entropy(bare(inputs), targets).backward()
        optimizer.step()
    for ours, theirs in zip(model.parameters(), bare.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_last_short_batch_counts_by_its_examples():
    inputs, targets = make_data(21)
    whole = evaluate(make_model(), [(inputs, targets)], F.cross_entropy)
    in_parts = evaluate(make_model(), TensorLoader(inputs, targets, batch_size=8), F.cross_entropy)
    assert in_parts["loss"] == pytest.approx(whole["loss"], rel=1e-6)
    assert in_parts["accuracy"] == whole["accuracy"]


@given(sizes=st.lists(st.integers(1, 8), min_size=1, max_size=6))
def test_the_means_do_not_depend_on_how_the_examples_are_batched(sizes):
    inputs, targets = make_data(sum(sizes))
    model = make_model()
    batches = list(zip(inputs.split(sizes), targets.split(sizes), strict=True))
    whole = evaluate(model, [(inputs, targets)], F.cross_entropy)
    assert evaluate(model, batches, F.cross_entropy) == pytest.approx(whole, rel=1e-5)


def test_training_weighs_examples_too():
    frozen = sgd(model := make_model(), lr=0.0)
    batches = TensorLoader(*make_data(21), batch_size=8)
    trained = train_epoch(model, batches, F.cross_entropy, frozen)
    judged = evaluate(make_model(), batches, F.cross_entropy)
    assert trained == pytest.approx(judged)


def test_other_metrics_can_be_measured():
    def absolute_error(outputs, targets):
        return (outputs - targets).abs().sum()

    batch = (torch.zeros(4, 1), torch.full((4, 1), 3.0))
    model = nn.Linear(1, 1)
    nn.init.zeros_(model.bias)
    result = evaluate(model, [batch], F.mse_loss, metrics={"error": absolute_error})
    assert result == {"loss": 9.0, "error": 3.0}


def test_training_mode_is_left_on_and_evaluation_restores_each_mode():
    model = nn.Sequential(nn.Linear(4, 2), nn.Dropout(), nn.BatchNorm1d(2)).eval()
    batches = TensorLoader(*make_data(), batch_size=8)
    train_epoch(model, batches, F.cross_entropy, sgd(model))
    assert model.training
    model[1].eval()
    evaluate(model, batches, F.cross_entropy)
    assert [m.training for m in model] == [True, False, True]


def test_evaluation_restores_the_modes_after_an_error_too():
    model = make_model().train()
    with pytest.raises(RuntimeError):
        evaluate(model, [(torch.zeros(1, 5), torch.zeros(1))], F.cross_entropy)
    assert model.training


def test_evaluation_changes_nothing_and_records_no_gradient():
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2)).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    seen = []

    def loss(outputs, targets):
        seen.append(outputs.requires_grad)
        return F.cross_entropy(outputs, targets)

    evaluate(model, [make_data()], loss)
    assert seen == [False]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_before_the_step(bad):
    model = make_model()
    inputs, targets = make_data(16)
    inputs[8:] = bad
    batches = TensorLoader(inputs, targets, batch_size=8)
    optimizer = sgd(model, lr=1e-3)
    after_first = make_model()
    train_epoch(after_first, [next(iter(batches))], F.cross_entropy, sgd(after_first, lr=1e-3))
    message = "loss must be finite, got (nan|inf) in epoch 3, step 2"
    with pytest.raises(FloatingPointError, match=message):
        train_epoch(model, batches, F.cross_entropy, optimizer, epoch=3)
    for ours, expected in zip(model.parameters(), after_first.parameters(), strict=True):
        assert torch.equal(ours, expected)


def distance(outputs, targets):
    """Right and finite, with a gradient of 0/0 where an output is perfect."""
    return (outputs - targets).square().sum(dim=1).sqrt().mean()


@pytest.mark.parametrize("max_grad_norm", [None, 1.0])
def test_a_gradient_that_is_not_finite_stops_before_the_step(max_grad_norm):
    model = nn.Linear(2, 2)
    inputs = torch.ones(3, 2)
    batches = [(inputs, torch.zeros(3, 2)), (inputs, torch.zeros(3, 2))]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def perfect_at_last(outputs, targets):
        return distance(outputs, targets if optimizer.state == {} else outputs.detach())

    after_first = copy.deepcopy(model)
    train_epoch(
        after_first,
        batches[:1],
        distance,
        torch.optim.SGD(after_first.parameters(), lr=0.1),
        metrics={},
        max_grad_norm=max_grad_norm,
    )
    with pytest.raises(
        FloatingPointError, match="gradient must be finite, got nan in weight in epoch 4, step 2"
    ):
        train_epoch(
            model,
            batches,
            perfect_at_last,
            optimizer,
            metrics={},
            epoch=4,
            max_grad_norm=max_grad_norm,
        )
    assert torch.equal(model.weight, after_first.weight)


def test_the_gradient_of_a_loss_with_parameters_is_looked_at_too():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.zeros(()))

        def forward(self, outputs, targets):
            return F.cross_entropy(outputs, targets) + self.scale.sqrt()

    model, loss = make_model(), Scaled()
    optimizer = torch.optim.SGD([*model.parameters(), *loss.parameters()], lr=0.1)
    with pytest.raises(FloatingPointError, match="got inf in a parameter that is not the model's"):
        train_epoch(model, [make_data()], loss, optimizer)


def test_a_sparse_gradient_is_looked_at_too():
    model = nn.Embedding(5, 2, sparse=True)
    batch = (torch.tensor([1, 3]), torch.zeros(2, 2))
    train_epoch(model, [batch], F.mse_loss, sgd(model), metrics={})
    perfect = (batch[0], model(batch[0]).detach())
    with pytest.raises(FloatingPointError, match="gradient must be finite, got nan in weight"):
        train_epoch(model, [perfect], distance, sgd(model), metrics={})


def test_finite_gradients_with_an_infinite_sum_are_no_error():
    model = nn.Linear(2, 1, bias=False)
    before = model.weight.detach().clone()
    batch = (torch.full((1, 2), 3e38), torch.zeros(1, 1))
    optimizer = sgd(model, lr=1e-38)
    train_epoch(model, [batch], lambda outputs, _: outputs.sum() * 1.0, optimizer, metrics={})
    assert torch.allclose(model.weight, before - 3)


def test_a_step_that_spoils_the_weights_is_noticed_at_the_end_of_the_epoch():
    model = make_model()
    message = r"parameters must be finite, got -?(nan|inf) in 0\.weight after epoch 7"
    with pytest.raises(FloatingPointError, match=message):
        train_epoch(model, [make_data()], F.cross_entropy, sgd(model, lr=math.inf), epoch=7)


def test_a_gradient_that_fits_into_no_scale_of_float16_ends_the_training():
    model = nn.Linear(2, 2)
    perfect = (torch.zeros(1, 2), model(torch.zeros(1, 2)).detach())
    message = r"gradient must be finite, got nan or inf with every scale down to 0\.0001"
    with pytest.raises(FloatingPointError, match=message):
        train_epoch(
            model,
            [perfect] * 40,
            distance,
            sgd(model),
            metrics={},
            scaler=torch.amp.GradScaler("cpu"),
        )


def test_evaluation_reports_a_loss_that_is_not_finite_instead_of_hiding_it():
    inputs, targets = make_data()
    inputs[0] = math.nan
    assert math.isnan(evaluate(make_model(), [(inputs, targets)], F.cross_entropy)["loss"])


def test_long_gradients_are_shortened():
    model = nn.Linear(4, 2)
    optimizer = sgd(model, lr=1.0)
    before = torch.cat([p.detach().flatten().clone() for p in model.parameters()])
    inputs, targets = make_data()
    batch = (100 * inputs, targets)
    train_epoch(model, [batch], F.cross_entropy, optimizer, max_grad_norm=0.5)
    after = torch.cat([p.detach().flatten() for p in model.parameters()])
    assert (after - before).norm().item() == pytest.approx(0.5, rel=1e-3)


def test_short_gradients_are_left_alone():
    clipped, free = make_model(), make_model()
    batches = [make_data()]
    train_epoch(clipped, batches, F.cross_entropy, sgd(clipped), max_grad_norm=1e6)
    train_epoch(free, batches, F.cross_entropy, sgd(free))
    for ours, theirs in zip(clipped.parameters(), free.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_scaled_gradients_are_shortened_by_their_true_length():
    scaled, plain = make_model(), make_model()
    inputs, targets = make_data()
    batches = [(100 * inputs, targets)]
    clip = {"max_grad_norm": 0.5}
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    train_epoch(scaled, batches, F.cross_entropy, sgd(scaled), scaler=scaler, **clip)
    train_epoch(plain, batches, F.cross_entropy, sgd(plain), **clip)
    for ours, theirs in zip(scaled.parameters(), plain.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_batches_follow_the_model_to_its_device():
    model, seen = make_model().to("meta"), []

    def loss(outputs, targets):
        seen.extend((outputs.device.type, targets.device.type))
        return torch.zeros((), requires_grad=True)

    train_epoch(model, [make_data()], loss, sgd(model), metrics={})
    evaluate(model, [make_data()], loss, metrics={})
    assert seen == ["meta"] * 4


def test_a_batch_schedule_advances_with_every_batch():
    model = make_model()
    optimizer = sgd(model, lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    batches = TensorLoader(*make_data(21), batch_size=8)
    train_epoch(model, batches, F.cross_entropy, optimizer, batch_scheduler=schedule)
    assert optimizer.param_groups[0]["lr"] == 0.5**3


def test_a_step_that_is_left_out_does_not_advance_a_batch_schedule():
    model = nn.Linear(2, 2)
    optimizer = sgd(model, lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    inputs = torch.zeros(1, 2)
    far, perfect = (inputs, torch.full((1, 2), 9.0)), (inputs, model(inputs).detach())
    scaler = torch.amp.GradScaler("cpu", growth_interval=1)
    how = {"metrics": {}, "batch_scheduler": schedule, "scaler": scaler}
    train_epoch(model, [perfect, far, far], distance, optimizer, **how)
    assert scaler.get_scale() == 2.0**16 / 2 * 2 * 2
    assert schedule.last_epoch == 2


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_precision_reaches_the_forward_pass(half):
    seen = []

    def loss(outputs, targets):
        seen.append(outputs.dtype)
        return F.cross_entropy(outputs, targets)

    model = make_model()
    train_epoch(model, [make_data()], loss, sgd(model), autocast_dtype=half)
    evaluate(model, [make_data()], loss, autocast_dtype=half)
    assert seen == [half, half]
    assert model[0].weight.dtype == torch.float32


def test_no_batch_is_an_error_not_a_division_by_zero():
    model = make_model()
    message = "batches must yield at least one example each time, got none"
    with pytest.raises(ValueError, match=message):
        train_epoch(model, [], F.cross_entropy, sgd(model))
    with pytest.raises(ValueError, match=message):
        evaluate(model, [], F.cross_entropy)


@pytest.mark.parametrize("norm", [0, -1.0])
def test_a_gradient_can_only_be_shortened_to_a_positive_length(norm):
    model = make_model()
    with pytest.raises(ValueError, match=f"max_grad_norm must be greater than 0, got {norm}"):
        train_epoch(model, [make_data()], F.cross_entropy, sgd(model), max_grad_norm=norm)


def test_a_loss_that_was_not_averaged_is_named():
    model = make_model()

    def loss(outputs, targets):
        return F.cross_entropy(outputs, targets, reduction="none")

    message = r"loss_fn must return one number, got shape \(21,\)"
    with pytest.raises(ValueError, match=message):
        train_epoch(model, [make_data()], loss, sgd(model))
    with pytest.raises(ValueError, match=message):
        evaluate(model, [make_data()], loss)


def test_a_loss_that_is_no_tensor_is_named():
    model = make_model()
    with pytest.raises(TypeError, match="loss_fn must return a tensor, got float"):
        train_epoch(model, [make_data()], lambda *_: 0.5, sgd(model))


def test_a_model_without_parameters_can_be_judged():
    assert evaluate(nn.Identity(), [(torch.eye(2), torch.arange(2))], F.cross_entropy)[
        "accuracy"
    ] == pytest.approx(1.0)


@pytest.mark.parametrize("run_epoch", [train_epoch, evaluate])
@pytest.mark.parametrize(
    ("metrics", "error", "message"),
    [
        ({"loss": num_correct}, ValueError, "metrics must have names beside 'loss'"),
        ({1: num_correct}, TypeError, "metrics must have text as names, got 1"),
        (
            {"right": lambda outputs, targets: outputs.argmax(dim=1) == targets},
            ValueError,
            r"metrics\['right'\] must return one number, got shape \(21,\)",
        ),
    ],
)
def test_metrics_that_cannot_be_recorded_are_refused(run_epoch, metrics, error, message):
    model = make_model()
    optimizer = [sgd(model)] if run_epoch is train_epoch else []
    with pytest.raises(error, match=message):
        run_epoch(model, [make_data()], F.cross_entropy, *optimizer, metrics=metrics)


@pytest.mark.parametrize(
    "choose",
    [
        pytest.param(lambda model: make_model().parameters(), id="another model"),
        pytest.param(lambda model: copy.deepcopy(model).parameters(), id="a copy"),
        pytest.param(lambda model: model[0].parameters(), id="only what is frozen"),
    ],
)
def test_an_optimizer_that_would_train_nothing_is_refused(choose):
    model = make_model()
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD(choose(model), lr=0.1)
    with pytest.raises(ValueError, match="optimizer must hold parameters of the model that requi"):
        train_epoch(model, [make_data()], F.cross_entropy, optimizer)


def test_an_optimizer_may_train_a_part_of_the_model():
    model = make_model()
    before = copy.deepcopy(model)
    train_epoch(model, [make_data()], F.cross_entropy, sgd(model[2]))
    assert torch.equal(model[0].weight, before[0].weight)
    assert not torch.equal(model[2].weight, before[2].weight)


def test_only_the_gradient_of_what_is_trained_is_shortened():
    model, alone = make_model(), make_model()
    model[0].weight.grad = torch.full((8, 4), 1e6)  # nobody sets this one to zero
    train_epoch(model, [make_data()], F.cross_entropy, sgd(model[2]), max_grad_norm=1.0)
    alone[0].requires_grad_(False)
    train_epoch(alone, [make_data()], F.cross_entropy, sgd(alone[2]), max_grad_norm=1.0)
    assert torch.equal(model[2].weight, alone[2].weight)


def test_an_empty_group_of_parameters_is_passed_over():
    model = make_model()
    optimizer = torch.optim.SGD([{"params": []}, {"params": model.parameters()}], lr=0.1)
    assert train_epoch(model, [make_data()], F.cross_entropy, optimizer)["loss"] > 0
