"""Every marker in the source is included by a page, or waits for its chapter."""

import re
from collections import Counter
from pathlib import Path

import pytest

from booktools.pages.fences import scan

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*ROOT.glob("src/notes/**/*.py"), *ROOT.glob("snippets/**/*.py")])
MARKER = re.compile(r" *# --8<-- \[(?P<kind>start|end):(?P<name>[\w-]+)\]")
INCLUDE = re.compile(r'--8<-- "(?P<path>[^":]+):(?P<name>[^"]+)"')
# What later chapters will include. Who includes one of them, or renames it, takes it off this list;
# the list ends with the last chapter.
WAITING = {
    # Data, many features
    "src/notes/data/csv_table.py": "load_csv save_csv",
    "src/notes/data/diabetes.py": "make_diabetes_like",
    "src/notes/data/digits.py": "load_digits",
    "src/notes/data/image_folder.py": "draw_image_folder",
    "src/notes/data/labeled_images.py": "LabeledImages",
    "src/notes/data/splits.py": "split_indices stratified_split group_split k_fold",
    "src/notes/data/tensor_loader.py": "TensorLoader",
    "src/notes/data/torchvision_sets.py": "load_mnist load_fashion_mnist load_cifar10",
    # Transforms, augmentation
    "src/notes/augmentation/affine.py": "draw_affine affine_at random_rotation random_affine",
    "src/notes/augmentation/color.py": "draw_color_jitter color_jitter_at random_color_jitter",
    "src/notes/augmentation/crop.py": "draw_crops crop_at random_crop",
    "src/notes/augmentation/cutmix.py": "draw_cutmix cutmix_at cutmix",
    "src/notes/augmentation/erasing.py": "draw_erasures erase_at random_erasing",
    "src/notes/augmentation/flip.py": (
        "draw_flips flip_at random_horizontal_flip random_vertical_flip"
    ),
    "src/notes/augmentation/mixup.py": "draw_mixup mixup_at mixup",
    "src/notes/augmentation/normalize.py": "to_float normalize normalize_bytes",
    "src/notes/augmentation/one_by_one.py": "resized_crop_each affine_each color_jitter_each",
    "src/notes/augmentation/resized_crop.py": (
        "draw_resized_crops resized_crop_at random_resized_crop"
    ),
    # Initialization
    "src/notes/init/by_type.py": "init_by_type",
    "src/notes/init/fans.py": "fans gain_of",
    "src/notes/init/kaiming.py": "kaiming_uniform_ kaiming_normal_ kaiming_std",
    "src/notes/init/simple.py": "uniform_ normal_ constant_",
    "src/notes/init/structured.py": "eye_ orthogonal_ sparse_ dirac_",
    "src/notes/init/variances.py": "variance_report",
    "src/notes/init/xavier.py": "xavier_uniform_ xavier_normal_ xavier_std",
    # Loss functions, softmax and cross-entropy
    "src/notes/losses/classification.py": (
        "negative_log_likelihood cross_entropy "
        "binary_cross_entropy binary_cross_entropy_with_logits"
    ),
    "src/notes/losses/divergence.py": "kl_divergence",
    "src/notes/losses/regression.py": "squared_loss absolute_loss huber_loss smooth_l1_loss",
    "src/notes/losses/softmax.py": "log_sum_exp log_softmax softmax",
    # Linear regression, layers of your own, dropout
    "src/notes/layers/centered.py": "center CenteredLayer",
    "src/notes/layers/dropout.py": "dropout Dropout",
    "src/notes/layers/linear.py": "linear Linear",
    # Multilayer perceptron, a character model, the full examples
    "src/notes/models/char_rnn.py": "one_hot_rnn character_rnn name_classifier",
    "src/notes/models/cifar.py": "cifar_cnn",
    "src/notes/models/classifier.py": "ImageClassifier",
    "src/notes/models/mlp.py": "mlp",
    # Evaluation, modules, saving and loading, the training loop, devices
    "src/notes/inspect.py": "summarize",
    "src/notes/metrics.py": "accuracy confusion_matrix class_scores",
    "src/notes/training/checkpoint.py": "save_checkpoint load_checkpoint",
    "src/notes/training/device.py": "best_device",
    "src/notes/training/fit.py": "fit",
}
# Those of chapters that exist, which no page includes: to be removed.
UNWANTED = (
    "BatchNorm Checkpoint alexnet apply_mask atomic_write average_precision avg_pool2d blocks "
    "cifar_resnet conv2d corr2d corr2d_1x1 corr2d_multi_in corr2d_multi_in_out crop_boxes "
    "draw_network draw_number_grid draw_scenes draw_shape get_random_states hardest_negatives "
    "inverse_matrices keep_mask keep_objects load_images map_side match_detections max_pool2d "
    "mean_average_precision mix_labels mnist_resnet nin nin_block nms_by_hand order "
    "output_size pad_labels paint_scenes pairs plot_history pool2d precision_recall_curve "
    "predicted_classes random_horizontal_flip random_resized_crop read_coco_labels "
    "read_voc_labels reduce_losses residual_block resize_weights resnet18 roi_align roi_pool "
    "scaled scan serve set_random_states shape_masks shapes_on_photos show_images "
    "sliding_windows smallest_image soft_nms vgg "
)


def markers(text):
    """The names of the sections of a file, or what is wrong with them."""
    ends = Counter()
    for number, line in enumerate(text.split("\n"), 1):
        match = MARKER.fullmatch(line)
        if match is None and "-8<-" in line:
            yield f"line {number} is no marker: {line.strip()}"
        elif match and match["kind"] == "start":
            yield match["name"]
            ends[match["name"]] += 1
        elif match:
            ends[match["name"]] -= 1
            if ends[match["name"]] < 0:
                yield f"line {number} ends {match['name']}, which is not open"
    yield from (f"{name} is never ended" for name, count in ends.items() if count > 0)


def included():
    """Every section that a page includes: pairs of file and name."""
    for page in ROOT.glob("docs/**/*.md"):
        for fence in scan(page.read_text(encoding="utf-8")):
            yield from (match.groups() for match in INCLUDE.finditer(fence.code))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# --8<-- [start:a]\nx = 1\n    # --8<-- [end:a]\n", ["a"]),
        ("# --8<-- [start:a]\n", ["a", "a is never ended"]),
        ("# --8<-- [end:a]\n", ["line 1 ends a, which is not open"]),
        ('--8<-- "a.py"\n', ['line 1 is no marker: --8<-- "a.py"']),
        ("#--8<-- [start:a]\n", ["line 1 is no marker: #--8<-- [start:a]"]),
    ],
)
def test_markers_come_in_pairs(text, found):
    assert list(markers(text)) == found


def test_every_marker_is_included_or_waits_for_its_chapter():
    waiting = {(path, name) for path, names in WAITING.items() for name in names.split()}
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in SOURCES
        for name in markers(path.read_text(encoding="utf-8"))
    }
    unused = found - set(included())
    assert waiting - unused == set(), "included now, or gone: take them off the list"
    assert {one for one in unused - waiting if one[1] not in UNWANTED.split()} == set()
