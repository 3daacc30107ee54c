from booktools.site.outputs import label_outputs

OUTPUT = "<!--pytest-codeblocks:expected-output-->\n\n```text\n0.50\n```\n"
BLOCK = "```python\nprint(0.5)\n```\n\n"


def test_output_gets_its_label_and_no_copy_button():
    result = label_outputs(BLOCK + OUTPUT)
    assert '\n```{ .text .output .no-copy title="Output" }\n0.50\n' in result


def test_stated_tolerance_stands_in_the_label():
    result = label_outputs(f"{BLOCK}<!-- tolerance: absolute 0.01 -->\n{OUTPUT}")
    assert 'title="Output · checked to ±0.01"' in result


def test_indented_output_keeps_its_place():
    page = "".join(f"    {line}\n" if line else "\n" for line in (BLOCK + OUTPUT).split("\n"))
    assert '\n    ```{ .text .output .no-copy title="Output" }\n    0.50\n' in label_outputs(page)


def test_text_that_is_no_output_stays_as_it_is():
    page = "```text\nconv -> pool\n```\n\n" + BLOCK
    assert label_outputs(page) == page
