import pytest

from booktools.pages.comparison import Tolerance, difference, tidy


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        pytest.param("0.12", "0.13", id="one unit in the last digit"),
        pytest.param("loss 0.500", "loss 0.501", id="one unit of three digits"),
        pytest.param("97.5", "97.6", id="one decimal above ten"),
        pytest.param("98.99 %", "99.00%"[:5] + " %", id="percentage"),
        pytest.param("tensor(-0.0000)", "tensor(0.0000)", id="minus zero"),
        pytest.param("tensor(-0.)", "tensor(0.)", id="minus zero without decimals"),
        pytest.param("[0.0000e+00, 1.0]", "[3.1000e-08, 1.0]", id="zero with an exponent"),
        pytest.param("[ 0.1000, -0.0000]", "[0.1000, 0.0000]", id="column of a sign"),
        pytest.param("loss   9.99 | 3", "loss  10.00 | 3", id="column of a wider number"),
        pytest.param("9.99  | 3", "10.00 | 3", id="column of a wider number at its left"),
        pytest.param("0.10E+05", "0.11E+05", id="one unit before a capital exponent"),
        pytest.param("[nan, inf, -inf]", "[ nan,  inf, -inf]", id="nan and infinity"),
        pytest.param("12,000.53", "12,000.54", id="thousands"),
        pytest.param("999.99", "1,000.00", id="over a thousand"),
        pytest.param("0.50+0.25j", "0.51+0.24j", id="complex"),
        pytest.param("It is 0.25.", "It is 0.26.", id="end of a sentence"),
        pytest.param("a \nb\n\n", "a\nb", id="what nobody sees"),
    ],
)
def test_outputs_agree(expected, actual):
    assert difference(expected, actual) is None


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        pytest.param("371 right", "372 right", id="integer"),
        pytest.param("12,345", "12,346", id="integer with thousands"),
        pytest.param("right", "Right", id="word"),
        pytest.param("loss 0.500", "loss 0.502", id="two units"),
        pytest.param("-0.4444", "-0.4400", id="one per cent"),
        pytest.param("320.25", "323.25", id="one per cent of a large number"),
        pytest.param("12,000.53", "12,000.80", id="decimals after thousands"),
        pytest.param("12,000.53", "13,000.53", id="thousands"),
        pytest.param("98.99 %", "99.97 %", id="percentage"),
        pytest.param("0.5", "0.6", id="no rounding of a half"),
        pytest.param("0.7", "0.70312", id="more digits"),
        pytest.param("0.70", "0.7", id="fewer digits"),
        pytest.param("1.", "2.", id="whole float"),
        pytest.param("104.", "105.", id="large whole float"),
        pytest.param("1e-05", "2e-05", id="power of ten"),
        pytest.param("torch 2.14.1", "torch 2.14.2", id="last part of a version"),
        pytest.param("torch 2.14.1", "torch 2.15.1", id="first parts of a version"),
        pytest.param("Python 3.11", "Python 3.12", id="version of two parts"),
        pytest.param("version: 2.14", "version: 2.15", id="version with a colon"),
        pytest.param("2026-11-26", "2026-11-27", id="date"),
        pytest.param("26.11.2026", "27.11.2026", id="date with points"),
        pytest.param("12:30:05.25", "12:31:05.25", id="time of day"),
        pytest.param("v2.50", "v2.51", id="number in a word"),
        pytest.param("1.50x", "1.51x", id="number with a letter"),
        pytest.param("0.50s", "0.51s", id="unit directly after the number"),
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


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("print('about 2.15')", id="in a text"),
        pytest.param("x = 2.15\nprint('about', x)", id="as a number"),
        pytest.param("import torch\nprint('about', torch.__version__[:4])", id="version"),
        pytest.param("import sys\nprint('about', *sys.version_info[:2])", id="version of Python"),
    ],
)
def test_what_is_not_computed_must_be_equal(code):
    assert difference("about 2.15", "about 2.15", code=code) is None
    assert difference("about 2.14", "about 2.15", code=code) == "line 1 has 2.15 instead of 2.14"
    assert difference("about 2.14", "about 2.15", code="f(12.15, conversion)") is None


def test_a_stated_tolerance_takes_the_place_of_the_default():
    assert difference("90.00", "90.50") is not None
    assert difference("90.00", "90.50", Tolerance(absolute=0.1)) is not None
    assert difference("90.00", "99.00", Tolerance(relative=0.2)) is None
    assert difference("0.900", "0.950", Tolerance(absolute=0.05)) is None
    assert difference("0.95", "0.96", Tolerance(relative=0.001)) is None  # one unit
    assert difference("0.7", "0.703", Tolerance(absolute=0.05)) is None
    assert difference("104.", "105.", Tolerance(absolute=0.5)) is not None
    assert difference("12,000.53", "12,000.80", Tolerance(relative=0.01)) is None
    assert difference("0.7", "0.703", Tolerance(absolute=0.05), "print(0.703)") is None


def test_the_difference_names_the_line_and_both_numbers():
    assert difference("a\nb 1.00", "a\nb 1.50") == "line 2 has 1.50 instead of 1.00"


def test_tidying_twice_is_tidying_once():
    once = tidy("\n a  \r\n\nb\n\n\n")
    assert once == tidy(once) == "\n a\n\nb\n"


def test_an_output_of_blanks_is_no_output():
    assert tidy(" \n\n") == ""
