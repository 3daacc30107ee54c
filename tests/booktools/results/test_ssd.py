import re

import pytest

from booktools.results.ssd import parts, problems


def test_the_tables_have_a_column_for_each_training(stored):
    found = parts(stored("ssd"))
    seeds, losses = (found[name].strip().splitlines() for name in ("seeds", "losses"))
    assert seeds[0] == "| measured | seed 0 | seed 1 | seed 2 |"
    assert losses[0] == "| loss | paper | all negatives | notes |"
    assert [row.split(" | ")[0] for row in seeds[2:]] == [
        *("| AP at 0.5", "| AP at 0.75", "| ellipse", "| rectangle", "| triangle", "| star"),
        *("| overlap (hard)", "| truncation (hard)", "| tiny (hard)", "| minutes"),
    ]


def test_the_tables_show_three_decimals_and_minutes_of_the_processor(stored):
    result = stored("ssd")
    run = result["runs"][0]
    run["average_precision"]["test"] = 0.12345
    run["history"]["processor_seconds"] = [30.0, 60.0]
    rows = parts(result)["seeds"].strip().splitlines()
    assert rows[2].startswith("| AP at 0.5 | 0.123 |")
    assert rows[-1].startswith("| minutes | 1.5 |")


def test_a_sentence_can_name_counts_and_settings(stored):
    result = stored("ssd")
    result["runs"][0]["mistakes"]["missed"] = 7
    result["settings"]["images"] = 12_000
    found = parts(result)
    assert (found["missed"], found["missed, paper"], found["images"]) == ("7", "7", "12,000")


def test_the_stored_result_agrees_with_itself(stored):
    assert list(problems(stored("ssd"))) == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("settings/epochs", 13, "paper, seed 0: train_classes must have 13 entries, got 12"),
        ("settings/bfloat16", False, "settings: bfloat16 must be as in the command, got False"),
        ("settings/test_images", 20, r"image must lie in \[0, 19\], got 24"),
        ("other_losses/0/loss", "no negatives", "other_losses must be those of the command"),
        ("runs/0/history/average_precision/11", 0.98, "must be the last average precision of the"),
        ("runs/1/history/average_precision/3", 98.0, r"average_precision must lie in \[0, 1\]"),
        ("runs/2/history/seconds/3", -1.0, "seed 2: seconds must lie in"),
        ("runs/1/average_precision/test", 0.97, "must be the mean over the classes, 0.964"),
        ("runs/1/per_class/star", 0.97, "must be the mean over the classes, 0.962"),
        ("float32/per_class/star", 0.97, "must be the mean over the classes, 0.964"),
        ("runs/0/average_precision/tiny", -0.1, r"average_precision must lie in \[0, 1\]"),
        ("runs/0/average_precision_75", 0.98, r"average_precision_75 must lie in \[0, 0.973"),
        ("runs/0/mistakes/missed", 826, r"missed must lie in \[0, 825\], got 826"),
        ("runs/2/num_objects", 824, "num_objects must be that of all runs, got 824"),
        ("runs/0/pictures/test/0/scores/0", 0.55, "scores must fall"),
        ("runs/0/pictures/test/0/scores/1", 0.45, r"scores must lie in \[0.5, 1\], got 0.45"),
        ("runs/0/pictures/test/0/classes/0", 4, r"classes must lie in \[0, 3\], got 4"),
        ("runs/0/pictures/test/0/classes", [1], "classes must have 2 entries, got 1"),
        ("runs/0/pictures/test/0/boxes/0/2", 0.2, r"boxes must be xyxy, got \[0.2285"),
        ("runs/0/pictures/test/0/image", 400, r"image must lie in \[0, 399\], got 400"),
        ("runs/0/pictures/mistakes/0/mistakes", ["found twice"], "must be among those of the run"),
    ],
)
def test_numbers_that_contradict_each_other_are_found(altered, path, value, problem):
    found = list(problems(altered("ssd", path, value)))
    assert any(re.search(problem, one) for one in found), found


def test_what_the_page_says_in_words_is_true(stored):
    result = stored("ssd")
    runs, others = result["runs"], result["other_losses"]
    assert len(runs) == 3
    precisions = [run["average_precision"]["test"] for run in runs]
    assert all(sum(run["history"]["processor_seconds"]) < 600 for run in runs)
    assert min(precisions) > 0.9
    lead = min(precisions) - max(run["average_precision"]["test"] for run in others)
    assert lead > 3 * (max(precisions) - min(precisions))
    strict = {run["loss"]: run["average_precision_75"] for run in [runs[0], *others]}
    assert min(strict, key=strict.__getitem__) == "notes"
    history = runs[0]["history"]
    for part in ("classes", "boxes"):
        assert 0.8 < history[f"train_{part}"][-1] / history[f"test_{part}"][-1] < 1.25
    for run in runs:
        assert max(run["history"]["average_precision"][:5]) < 0.9
        assert min(run["history"]["average_precision"][7:]) > 0.9
