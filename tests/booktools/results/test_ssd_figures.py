import matplotlib.pyplot as plt
import pytest

from booktools.results.ssd_figures import draw_curves, draw_hard, draw_predictions, draw_test_set


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_the_figures_show_the_images_on_which_the_models_were_tested(stored):
    result = stored("ssd")
    objects = draw_test_set(result).labels[..., 0] >= 0
    assert objects.sum() == result["runs"][0]["num_objects"]


def test_the_curves_are_those_of_the_history(stored):
    result = stored("ssd")
    draw_curves(result)
    left, right = plt.gcf().axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in [*left.lines, *right.lines]}
    history = result["runs"][0]["history"]
    assert drawn["classes, training"] == history["train_classes"]
    assert drawn["boxes, test"] == history["test_boxes"]
    assert drawn["seed 0"] == history["average_precision"]


def test_each_detection_stands_on_its_picture_with_class_and_score(stored):
    result = stored("ssd")
    pictures = result["runs"][0]["pictures"]["test"][:8]
    draw_predictions(result)
    for ax, picture in zip(plt.gcf().axes, pictures, strict=True):
        texts = [text.get_text() for text in ax.texts]
        assert [text.split()[1] for text in texts] == [f"{one:.2f}" for one in picture["scores"]]


def test_each_row_is_one_hard_set(stored):
    draw_hard(stored("ssd"))
    rows = [ax.get_title() for ax in plt.gcf().axes][::4]
    assert [title.split(",")[0] for title in rows] == ["overlap", "truncation", "tiny"]
