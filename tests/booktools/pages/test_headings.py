import pytest

from booktools.pages.headings import find_anchors


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        pytest.param("# A `name`: 3\N{MULTIPLICATION SIGN}3, VGG", "a-name-33-vgg", id="signs"),
        pytest.param("## In torch, `nn.Conv2d` ##", "in-torch-nnconv2d", id="closed"),
        pytest.param("### [A link](x.md) and [*one*][more]", "a-link-and-one", id="links"),
        pytest.param("# PyTorch,<br>in code { #own .lead }", "own", id="own name"),
        pytest.param("# $N$ boxes", "n-boxes", id="formula"),
        pytest.param("    ## In a box", "in-a-box", id="in a box"),
        pytest.param("##No space", "no-space", id="no space"),
    ],
)  # fmt: skip
def test_anchors_are_made_as_on_the_site(heading, anchor):
    assert find_anchors(f"Text.\n\n{heading}\n") == [anchor]


def test_a_second_heading_of_the_same_words_gets_a_number():
    assert find_anchors("# Twice\n## Twice\n## Thrice { #twice }\n") == [
        "twice_1",
        "twice_2",
        "twice",
    ]


def test_comments_in_code_are_no_headings():
    page = "# One\n\n```python\n# two\n```\n\n!!! note\n\n    ```text\n    # three\n    ```\n"
    assert find_anchors(f"---\n# four\n---\n{page}<!--\n# five\n-->\n") == ["one"]


def test_a_page_without_headings_has_no_anchors():
    assert find_anchors("Text, #1 of it.\n") == []
