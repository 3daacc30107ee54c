"""The site as a reader meets it: in a browser, by mouse and by keyboard."""

import csv
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

AXE = Axe()
VIOLATIONS = {"resultTypes": ["violations"]}  # a list of all that is well takes axe much longer
DOCS = Path(__file__).resolve().parents[2] / "docs"


def page_addresses():
    sources = [*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb"), DOCS / "sample.md"]
    names = {path.relative_to(DOCS).with_suffix("").as_posix() for path in sources}
    return sorted(f"{name}/".removesuffix("index/") for name in names)


PAGES = page_addresses()


def show_everything(page: Page) -> None:
    """Load the lazy images and unfold the boxes, but not the long sources of the reference."""
    page.evaluate(
        """async () => {
            const boxes = document.querySelectorAll("details:not(.mkdocstrings-source)")
            boxes.forEach(box => { box.open = true })
            const images = [...document.images].filter(image => image.checkVisibility())
            images.forEach(image => { image.loading = "eager" })
            await Promise.all(images.map(image => image.decode().catch(() => {})))
        }"""
    )


WIDER_THAN_ITS_BOX = """() => [...document.querySelectorAll(".md-content pre > code")]
    .filter(code => code.checkVisibility() && !code.closest("table, .doc-contents"))
    .filter(code => code.scrollWidth > code.clientWidth + 1)
    .map(code => code.textContent.split("\\n").sort((a, b) => b.length - a.length)[0])"""
# One page of each kind is judged by all rules in the dark, too; the others by their contrast.
KINDS = {"", "detection/", "examples/first-notebook/", "reference/boxes/", "sample/"}
CONTRAST = VIOLATIONS | {"runOnly": ["color-contrast"]}


@pytest.mark.parametrize("path", PAGES)
def test_page_is_whole_open_to_all_and_fits_a_telephone(path: str, page: Page, address: str):
    """One visit: a page is loaded once, and looked at in both schemes and at both widths."""
    complaints, hosts = [], set()
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    response = page.goto(address + path, wait_until="networkidle")
    show_everything(page)

    assert response is not None
    assert response.status == 200
    assert complaints == []
    assert hosts - {None} == {"127.0.0.1"}  # None: images within the page
    broken = (
        "[...document.images].filter(i => i.checkVisibility() && !i.naturalWidth).map(i => i.src)"
    )
    assert page.evaluate(broken) == []

    for width in (1440, 1280) if not path.startswith(("reference/", "sample/")) else ():
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(WIDER_THAN_ITS_BOX) == []

    assert page.locator("body").get_attribute("data-md-color-scheme") == "default"
    result = AXE.run(page, options=VIOLATIONS)
    assert result.violations_count == 0, result.generate_report()

    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.evaluate("window.scrollTo(500, 0)")
    assert page.evaluate("window.scrollX") == 0

    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    show_everything(page)
    page.wait_for_timeout(250)  # colors fade
    result = AXE.run(page, options=VIOLATIONS if path in KINDS else CONTRAST)
    assert result.violations_count == 0, result.generate_report()
    assert page.evaluate(broken) == []
    assert complaints == []


def test_unknown_address_shows_the_404_page_with_its_style(page: Page, address: str):
    response = page.goto(address + "no/such/page/")

    assert response is not None
    assert response.status == 404
    assert page.locator("h1").inner_text() == "This page is not in the book"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(251, 249, 246)"
    page.wait_for_timeout(250)  # colors fade in after the palette is known
    result = AXE.run(page, options=VIOLATIONS)
    assert result.violations_count == 0, result.generate_report()
    page.get_by_role("link", name="Start page").click()
    assert page.url == address


def test_search_finds_a_word(page: Page, address: str):
    page.goto(address)
    page.keyboard.press("/")
    page.keyboard.type("quokka", delay=20)
    result = page.locator(".md-search-result__link").first
    result.wait_for()

    assert "A sample chapter" in result.inner_text()
    result.click()
    assert urlsplit(page.url).path.endswith("/sample/")


def test_copy_button_copies_the_block(page: Page, address: str):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(address + "sample/")
    block = page.locator(".language-python").first
    block.hover()
    block.locator(".md-code__button[title*='Copy']").click()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("import matplotlib.pyplot as plt\nimport torch\n")
    assert "plt.plot(x, x**2)" in copied


def test_output_has_no_copy_button(page: Page, address: str):
    page.goto(address + "sample/")
    page.locator(".language-python .md-code__button").first.wait_for()

    assert page.locator(".output .md-code__button").count() == 0


@pytest.mark.parametrize(
    ("path", "file"),
    [("sample/", "sample.ipynb"), ("examples/first-notebook/", "first-notebook.ipynb")],
)
def test_notebook_downloads(path: str, file: str, page: Page, address: str, tmp_path: Path):
    page.goto(address + path)
    with page.expect_download() as download:
        page.get_by_role("link", name="notebook", exact=True).click()

    assert download.value.suggested_filename == file
    download.value.save_as(tmp_path / file)
    nbformat.validate(nbformat.read(tmp_path / file, as_version=4))


def test_figure_follows_the_scheme(page: Page, address: str):
    figure = ".md-content img[src*='sample-1']"
    page.goto(address + "sample/")
    light = page.locator(f"{figure}.only-light")
    dark = page.locator(f"{figure}.only-dark")
    assert (light.is_visible(), dark.is_visible()) == (True, False)

    page.emulate_media(color_scheme="dark")
    page.reload()
    assert (light.is_visible(), dark.is_visible()) == (False, True)


def test_figure_does_not_move_the_page_while_it_loads(page: Page, address: str):
    page.route("**/*.png", lambda route: route.abort())
    page.goto(address + "sample/")

    box = page.locator(".md-content img.only-light").bounding_box()
    assert box is not None
    assert box["height"] > 200


def test_first_tab_reaches_the_skip_link_and_it_leads_to_the_title(page: Page, address: str):
    page.goto(address + "sample/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('md-skip')")
    page.keyboard.press("Enter")

    assert page.url.endswith("#a-sample-chapter")


RING = """() => {
    const element = document.activeElement
    if (element === document.body || element.matches(".md-skip")) return null  // end and start
    const tabs = element.closest(".tabbed-set")
    const places = [element]
    if (element.matches(".md-option")) places.push(element.nextElementSibling)
    if (element.matches(".md-search__input")) places.push(element.closest("form"))
    if (element.matches(".tabbed-set > input")) places.push(...tabs.querySelectorAll("label"))
    const ringed = places.filter(place => {
        const style = getComputedStyle(place), box = place.getBoundingClientRect()
        return style.outlineStyle === "solid" && box.width * box.height > 0
    })
    return [element.outerHTML.slice(0, 120), ringed.length]
}"""


def test_focus_is_visible_at_every_stop_of_the_tab_key(page: Page, address: str):
    page.goto(address + "sample/")
    page.wait_for_timeout(300)
    stops = {}
    for _ in range(45):
        page.keyboard.press("Tab")
        if stop := page.evaluate(RING):
            stops[stop[0]] = stop[1]

    assert [stop for stop, rings in stops.items() if rings != 1] == []
    assert len(stops) > 25


def test_folded_solution_opens_with_the_keyboard(page: Page, address: str):
    page.goto(address + "sample/")
    solution = page.locator("details.success")
    solution.locator("summary").focus()
    page.keyboard.press("Enter")

    assert solution.get_by_text("folded").last.is_visible()


def test_wide_formula_scrolls_in_its_own_box_with_the_keyboard(page: Page, address: str):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address + "sample/")
    page.wait_for_timeout(300)
    formula = page.locator(".formula").nth(1)
    formula.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)

    assert formula.evaluate("box => box.scrollLeft") > 0


def test_colors_can_be_switched_and_stay(page: Page, address: str):
    page.goto(address)
    page.locator("label[for='__palette_1']:visible").click()
    page.locator("label[for='__palette_2']:visible").click()
    page.goto(address + "reference/")

    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"


def test_next_and_edit_lead_where_they_say(page: Page, address: str):
    page.goto(address + "sample/")
    edit = page.get_by_role("link", name="Edit this page")
    assert edit.get_attribute("href") == (
        "https://github.com/pytorch-notes/pytorch-notes/edit/main/docs/sample.md"
    )
    page.locator(".md-footer__link--prev").click()
    page.locator(".md-footer__link--next").click()

    assert page.url == address + "sample/"


def test_search_finds_what_learners_type(page: Page, address: str):
    with (Path(__file__).parent / "search_terms.csv").open(encoding="utf-8", newline="") as file:
        wanted = {row["term"]: row["page"] for row in csv.DictReader(file)}
    page.goto(address)
    page.keyboard.press("/")
    field, meta = page.locator(".md-search__input"), page.locator(".md-search-result__meta")
    field.press_sequentially("quokka")
    page.locator(".md-search-result__link").first.wait_for()
    found = {}
    for term in wanted:
        field.press("Control+A")
        field.press("Backspace")
        expect(meta).to_have_text("Type to start searching")
        field.evaluate("(field, start) => { field.value = start }", term[:-1])
        field.press_sequentially(term[-1])  # one key, so one search
        expect(meta).not_to_have_text("Type to start searching")
        links = page.eval_on_selector_all(
            ".md-search-result__item > a", "all => all.map(one => one.pathname)"
        )
        places = [link.removeprefix(urlsplit(address).path) for link in links]
        found[term] = list(dict.fromkeys(places))[:3]

    assert {term: found[term] for term in wanted if wanted[term] not in found[term]} == {}
    later = {term: found[term] for term in wanted if wanted[term] != found[term][0]}
    assert len(later) <= len(wanted) / 10, later
