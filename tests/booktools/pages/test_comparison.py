import pytest

from booktools.pages.comparison import Tolerance, difference, tidy


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        pytest.param("loss 0.500", "loss 0.504", id="one per cent"),
        pytest.param("0.12", "0.13", id="one unit in the last digit"),
        pytest.param("tensor(-0.0000)", "tensor(0.0000)", id="minus zero"),
        pytest.param("[0.0000e+00, 1.0]", "[3.1000e-08, 1.0]", id="zero with an exponent"),
        pytest.param("1e-05", "1.0000e-05", id="exponent without a point"),
        pytest.param("[ 0.1000, -0.0000]", "[0.1000, 0.0000]", id="column of a sign"),
        pytest.param("loss   9.99 | 3", "loss  10.00 | 3", id="column of a wider number"),
        pytest.param("9.99  | 3", "10.00 | 3", id="column of a wider number at its left"),
        pytest.param("-90.00", "-90.50", id="one per cent of a negative number"),
        pytest.param("0.10E+05", "0.11E+05", id="one unit before a capital exponent"),
        pytest.param("[nan, inf, -inf]", "[ nan,  inf, -inf]", id="nan and infinity"),
        pytest.param("a \nb\n\n", "a\nb", id="what nobody sees"),
        pytest.param("0.5s", "0.502s", id="unit directly after the number"),
    ],
)
def test_outputs_agree(expected, actual):
    assert difference(expected, actual) is None


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        pytest.param("371 right", "372 right", id="integer"),
        pytest.param("right", "Right", id="word"),
        pytest.param("loss 0.500", "loss 0.506", id="more than one per cent"),
        pytest.param("0.5", "0.6", id="no rounding of a half"),
        pytest.param("1.", "2.", id="whole float"),
        pytest.param("torch 2.14.1", "torch 2.14.2", id="last part of a version"),
        pytest.param("torch 2.14.1", "torch 2.15.1", id="first parts of a version"),
        pytest.param("v2.50", "v2.51", id="number in a word"),
        pytest.param("nan", "0.5", id="nan"),
        pytest.param("0.5", "nan", id="nan instead of a number"),
        pytest.param("inf", "-inf", id="infinity"),
        pytest.param("1.00", "-1.00", id="sign"),
        pytest.param("  word", " word", id="indentation"),
        pytest.param("[0.10, 0.20]", "[0.10, 0.20, 0.30]", id="more numbers"),
        pytest.param("0.10 0.20", "0.10\n0.20", id="line break"),
        pytest.param("a", "a\nb", id="more lines"),
        pytest.param("a\nb", "a", id="fewer lines"),
        pytest.param("a", "a\n\nb", id="more lines after an empty one"),
        pytest.param("info", "Info", id="word that starts like inf"),
    ],
)
def test_outputs_differ(expected, actual):
    assert difference(expected, actual) is not None


def test_a_stated_tolerance_takes_the_place_of_the_default():
    assert difference("90.00", "90.50") is None
    assert difference("90.00", "90.50", Tolerance(absolute=0.1)) is not None
    assert difference("90.00", "99.00", Tolerance(relative=0.2)) is None
    assert difference("0.900", "0.950", Tolerance(absolute=0.05)) is None


def test_the_difference_names_the_line_and_both_numbers():
    assert difference("a\nb 1.00", "a\nb 1.50") == "line 2 has 1.50 instead of 1.00"


def test_tidying_twice_is_tidying_once():
    once = tidy("\n a  \r\n\nb\n\n\n")
    assert once == tidy(once) == "\n a\n\nb\n"


def test_an_output_of_blanks_is_no_output():
    assert tidy(" \n\n") == ""
