import pytest

from booktools.pages import blocks, fences
from booktools.pages.blocks import DEFAULT_FIGURE_TOLERANCE, EXPECTED, read_blocks
from booktools.pages.comparison import DEFAULT, Tolerance

CODE = "```python\nprint(1)\n```\n"
OUTPUT = f"{EXPECTED}\n\n```text\n1\n```\n"


def test_a_block_has_its_output_and_its_images():
    (block,) = read_blocks(f"{CODE}\n{OUTPUT}\n![A line](figures/p-a.png)\n")
    assert block.output is not None
    assert block.output.code == "1\n"
    (image,) = block.images
    assert (image.line, image.alt, image.path) == (11, "A line", "figures/p-a.png")
    assert image.tolerance == DEFAULT_FIGURE_TOLERANCE
    assert block.tolerance == DEFAULT


def test_a_block_states_its_tolerances():
    text = (
        f"{CODE}\n<!-- tolerance: relative 0.02 -->\n<!-- tolerance: absolute 0.5 -->\n{OUTPUT}\n"
        "<!-- figure-tolerance: 10 -->\n![A line](figures/p-a.png) ![B](figures/p-b.png)\n"
    )
    (block,) = read_blocks(text)
    assert block.output is not None
    assert block.tolerance == Tolerance(relative=0.02, absolute=0.5)
    assert [image.tolerance for image in block.images] == [10, DEFAULT_FIGURE_TOLERANCE]
    assert block.comments == {5, 6, 7, 13}


@pytest.mark.parametrize(
    "comment",
    [
        pytest.param("```text\n1\n```\n<!-- tolerance: relative 0.5 -->", id="after a fence"),
        pytest.param("<!-- tolerance: relative 0.5 --> for now", id="beside prose"),
        pytest.param("<!-- figure-tolerance: 99 --> for now", id="figure, beside prose"),
    ],
)
def test_a_tolerance_elsewhere_belongs_to_no_block(comment):
    (block,) = read_blocks(f"{CODE}\n{comment}\n\n![A line](figures/p-a.png)\n")
    assert block.tolerance == DEFAULT
    assert block.images[0].tolerance == DEFAULT_FIGURE_TOLERANCE
    assert not block.comments


def test_images_belong_to_the_block_before_them():
    first, second = read_blocks(f"{CODE}![A](figures/p-a.png)\n\n{CODE}![B](figures/p-b.png)\n")
    assert [image.path for image in first.images] == ["figures/p-a.png"]
    assert [image.path for image in second.images] == ["figures/p-b.png"]


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(f"Some prose.\n\n{OUTPUT}", id="after prose"),
        pytest.param(f'```py title="x"\n1\n```\n{OUTPUT}', id="after another fence"),
        pytest.param(f"```text\n1\n```\n{OUTPUT}", id="after a text"),
        pytest.param(f"Write {OUTPUT}", id="comment within prose"),
        pytest.param(OUTPUT.replace("-->\n", "-->\n\nSome prose.\n"), id="before prose"),
        pytest.param(OUTPUT.replace("text", "console"), id="another language"),
    ],
)
def test_an_output_that_does_not_follow_directly_belongs_to_no_block(after):
    (block,) = read_blocks(f"{CODE}\n{after}")
    assert block.output is None
    assert not block.comments


def test_images_in_comments_and_fences_are_not_on_the_page():
    hidden = "![A](figures/p-a.png)"
    (block,) = read_blocks(
        f"{CODE}<!-- {hidden} -->\n<!--\n{hidden}\n-->\n```text\n{hidden}\n```\n"
    )
    assert not block.images


@pytest.mark.parametrize(
    ("after", "line"),
    [
        pytest.param("\n```text\n1\n```\n", 5, id="text"),
        pytest.param(f"{OUTPUT}\n```text\n1\n```\n", 10, id="after the output"),
        pytest.param("<!-- a -->\n\n<!--\nb\n-->\n```console\nls\n```\n", 9, id="after comments"),
        pytest.param("Some prose.\n\n```text\n1\n```\n", 4, id="prose"),
    ],
)
def test_a_block_knows_what_a_reader_sees_next(after, line):
    (block,) = read_blocks(CODE + after)
    following = block.following
    assert line == (following.line if isinstance(following, fences.Fence) else following.number)


class Counted:
    """A pattern that counts how many lines it has looked at."""

    def __init__(self, pattern):
        self.pattern, self.count = pattern, 0

    def match(self, line):
        self.count += 1
        return self.pattern.match(line)

    def fullmatch(self, line):
        self.count += 1
        return self.pattern.fullmatch(line)


def test_a_page_is_read_once_although_every_block_of_it_asks(monkeypatch):
    opening, tolerance = Counted(fences.OPENING), Counted(blocks.FIGURE_TOLERANCE)
    monkeypatch.setattr(fences, "OPENING", opening)
    monkeypatch.setattr(blocks, "FIGURE_TOLERANCE", tolerance)
    text = "".join(f"Text {number}.\n\n{CODE}\n{OUTPUT}\n" for number in range(100))
    for _ in range(100):
        assert len(read_blocks("".join([*text]))) == 100  # another text with the same letters
    assert opening.count <= len(fences.split_lines(text))
    assert tolerance.count <= len(fences.split_lines(text))
