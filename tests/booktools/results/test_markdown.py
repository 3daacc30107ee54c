from booktools.results.markdown import block, mean_and_range, origin, spread, table

RESULT = {"device": "a shell", "versions": {"python": "3.12", "snail": "1.0"}}


def test_a_table_has_texts_on_the_left_and_numbers_on_the_right():
    shown = table(["what", "ms", "goal"], [["hare", "3", "met"]], texts=["goal"])
    assert shown == "| what | ms | goal |\n|---|--:|---|\n| hare | 3 | met |"


def test_a_block_stands_alone_between_its_marks():
    assert block("one", "two") == "\n\none\n\ntwo\n\n"


def test_the_mean_stands_before_the_smallest_and_the_largest_value():
    assert mean_and_range([6.0, 1.0, 2.0], ".1f") == spread("3.0", "1.0", "6.0")


def test_no_line_ends_inside_a_number_with_its_range():
    assert ascii(spread("2", "1", "3")) == r"'2\xa0(1\u2060\u2013\u20603)'"


def test_the_origin_names_device_versions_file_and_seal():
    first, seal = origin(RESULT, "race", "123").strip().split("\n\n")
    assert first.startswith("Measured on a shell. Versions: Python 3.12, snail 1.0. All numbers")
    assert "[`docs/results/race.json`](https://" in first
    assert seal == "<!-- seal: 123 -->"


def test_the_origin_names_the_command_if_it_is_known():
    assert origin(RESULT | {"command": "run"}, "race", "1").startswith("\n\nMeasured by `run` on a")
