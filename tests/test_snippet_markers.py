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
    "Data, many features": """
        load_csv save_csv make_diabetes_like load_digits draw_image_folder LabeledImages
        split_indices stratified_split group_split k_fold TensorLoader load_mnist
        load_fashion_mnist load_cifar10
    """,
    "Transforms, augmentation": """
        draw_affine affine_at random_rotation random_affine draw_color_jitter
        color_jitter_at random_color_jitter draw_crops crop_at random_crop draw_cutmix
        cutmix_at cutmix draw_erasures erase_at random_erasing draw_flips flip_at
        random_horizontal_flip random_vertical_flip draw_mixup mixup_at mixup to_float
        normalize normalize_bytes resized_crop_each affine_each color_jitter_each
        draw_resized_crops resized_crop_at random_resized_crop
    """,
    "Initialization": """
        init_by_type fans gain_of kaiming_uniform_ kaiming_normal_ kaiming_std uniform_
        normal_ constant_ eye_ orthogonal_ sparse_ dirac_ variance_report xavier_uniform_
        xavier_normal_ xavier_std
    """,
    "Loss functions, softmax and cross-entropy": """
        binary_cross_entropy binary_cross_entropy_with_logits log_sum_exp log_softmax
        softmax negative_log_likelihood cross_entropy kl_divergence squared_loss
        absolute_loss huber_loss smooth_l1_loss
    """,
    "Linear regression, layers of your own, dropout": """
        center CenteredLayer dropout Dropout linear Linear
    """,
    "Multilayer perceptron, a character model, the full examples": """
        one_hot_rnn character_rnn name_classifier cifar_cnn ImageClassifier mlp
    """,
    "Evaluation, modules, saving and loading, the training loop, devices": """
        summarize accuracy confusion_matrix class_scores save_checkpoint load_checkpoint
        best_device Extras fit
    """,
}


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
    waiting = [name for names in WAITING.values() for name in names.split()]
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in SOURCES
        for name in markers(path.read_text(encoding="utf-8"))
    }
    unused = {name for _, name in found - set(included())}
    assert sorted(waiting) == sorted(set(waiting)), "each stands there once"
    assert set(waiting) - unused == set(), "included now, or gone: take them off the list"
    assert unused - set(waiting) == set(), "no page includes them"
