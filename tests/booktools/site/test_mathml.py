import json
import re

import pytest

from booktools.site import mathml
from booktools.site.mathml import Formula, MathCache, find_formulas, insert_mathml

INLINE = r'<p>so <span class="arithmatex">\(a &lt; b\)</span> holds</p>'
DISPLAY = '<div class="arithmatex">\\[\n\\frac{a}{b}\n\\]</div>'


@pytest.fixture
def cache(tmp_path):
    return MathCache(tmp_path / "cache" / "mathml.json")


@pytest.fixture
def calls(monkeypatch):
    """The batches that were given to pandoc."""
    batches = []
    real = mathml.run_pandoc

    def counted(formulas):
        batches.append(formulas)
        return real(formulas)

    monkeypatch.setattr(mathml, "run_pandoc", counted)
    return batches


def test_formulas_of_a_page_are_found_in_order():
    assert find_formulas(INLINE + DISPLAY) == [
        Formula("a < b", display=False),
        Formula(r"\frac{a}{b}", display=True),
    ]


@pytest.mark.parametrize(
    ("tex", "part"),
    [
        pytest.param(r"\frac{1}{2}", "<mfrac><mn>1</mn><mn>2</mn></mfrac>", id="fraction"),
        pytest.param(
            r"\mathbb{E}", ">\N{MATHEMATICAL DOUBLE-STRUCK CAPITAL E}</mi>", id="blackboard"
        ),
        pytest.param("a < b", "<mo>&lt;</mo>", id="less than"),
        pytest.param(r"\text{for \(k\) of “5”}", "“5”", id="quotation marks"),
        pytest.param(
            "\\begin{cases} x & x > 0 \\\\\n0 & \\text{else} \\end{cases}",
            "<mtable>",
            id="cases on two lines",
        ),
        pytest.param(r"\lfloor \frac{n + 2p - k}{s} \rfloor", "⌊", id="floor"),
    ],
)
def test_formula_becomes_mathml(tex, part, cache):
    formula = Formula(tex, display=True)
    assert part in cache.translate([formula])[formula]


def test_translation_keeps_the_tex_for_those_who_copy_it(cache):
    formula = Formula(r"\alpha", display=False)
    result = cache.translate([formula])[formula]
    assert r'<annotation encoding="application/x-tex">\alpha</annotation>' in result


def test_display_and_inline_formulas_differ(cache):
    inline, display = Formula("x", display=False), Formula("x", display=True)
    results = cache.translate([inline, display])
    assert 'display="inline"' in results[inline]
    assert 'display="block"' in results[display]


def test_inserted_formulas_leave_no_mark_behind(cache):
    page = INLINE + DISPLAY
    result = insert_mathml(page, cache.translate(find_formulas(page)))
    assert "arithmatex" not in result
    assert re.fullmatch(
        r'<p>so <math .*</math> holds</p><div class="formula"><math .*</math></div>', result
    )


def test_all_formulas_of_the_site_take_one_call_of_pandoc(cache, calls):
    formulas = [Formula(f"x = {number}", display=False) for number in range(20)]
    results = cache.translate(formulas * 2)
    assert [len(batch) for batch in calls] == [20]
    assert all(f"<mn>{number}</mn>" in results[formulas[number]] for number in range(20))


def test_formula_seen_before_takes_no_call_also_in_a_new_process(cache, calls):
    formula = Formula("y", display=False)
    first = cache.translate([formula])
    again = MathCache(cache.path).translate([formula])
    assert again == first
    assert len(calls) == 1


def test_cache_of_another_pandoc_counts_as_empty(cache, calls):
    formula = Formula("y", display=False)
    cache.translate([formula])
    stored = json.loads(cache.path.read_text(encoding="utf-8"))
    cache.path.write_text(json.dumps(stored | {"pandoc": "1.0"}), encoding="utf-8")
    MathCache(cache.path).translate([formula])
    assert len(calls) == 2


@pytest.mark.parametrize("stored", ["{", "{}", "[]"])
def test_broken_cache_counts_as_empty(cache, stored):
    cache.path.parent.mkdir()
    cache.path.write_text(stored, encoding="utf-8")
    formula = Formula("y", display=False)
    assert formula in cache.translate([formula])


def test_page_without_formulas_needs_no_pandoc(cache, calls):
    assert cache.translate([]) == {}
    assert calls == []


@pytest.mark.parametrize("tex", [r"\undefined{x}", r"\frac{1}{", r"a & b \\end{cases}", "{"])
def test_bad_tex_is_refused_with_the_formula(tex, cache):
    with pytest.raises(ValueError, match="formula must be valid TeX, got") as error:
        cache.translate([Formula("x", display=False), Formula(tex, display=True)])
    assert tex in str(error.value)
    assert not cache.path.exists()


@pytest.mark.parametrize("tex", [r"\left( x", r"x \right)", r"\left( \left[ x \right]"])
def test_brackets_that_are_left_open_are_refused(tex, cache):
    with pytest.raises(ValueError, match=r"formula must close each \\left with a \\right, got"):
        cache.translate([Formula(tex, display=True)])


@pytest.mark.parametrize("tex", ["5 and 6", "100 a month, or 1,000", "x, for example in", "2 to 3"])
def test_prose_between_dollar_signs_is_refused(tex, cache):
    with pytest.raises(ValueError, match=r"formula must have its words in \\text\{\} .* got '"):
        cache.translate([Formula(tex, display=False)])


@pytest.mark.parametrize(
    "tex",
    [
        r"\text{for all } x \in X",
        r"\operatorname{max pool} \left( x \right)",
        "p_{i, y_i} dx",
        r"\begin{cases} a & b \end{cases}",
        r"\leftarrow",
    ],
)
def test_words_that_are_no_prose_are_accepted(tex, cache):
    formula = Formula(tex, display=True)
    assert "<math" in cache.translate([formula])[formula]
