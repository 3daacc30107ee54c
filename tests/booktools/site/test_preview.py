import os

import pytest

from booktools.site.preview import dependencies, is_outdated

PAGE = '# Boxes\n\n```py\n--8<-- "src/notes/boxes.py:iou"\n```\n\n::: notes.checks.check_shape\n'


@pytest.fixture
def project(tmp_path):
    """A page that was published just after everything it was made from."""
    names = ("mkdocs.yml", "theme/main.html", "src/notes/boxes.py", "src/notes/checks.py",
             "src/notes/other.py", "docs/boxes.md", "site/boxes/index.html")  # fmt: skip
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PAGE if name.endswith(".md") else "", encoding="utf-8")
        os.utime(path, (1000, 1000))
    return tmp_path


def outdated(project):
    return is_outdated(project / "docs/boxes.md", project / "site/boxes/index.html", project)


def test_page_depends_on_what_it_includes_and_documents(project):
    found = {path.relative_to(project).as_posix()
             for path in dependencies(project / "docs/boxes.md", project)}  # fmt: skip
    assert found == {"docs/boxes.md", "mkdocs.yml", "theme/main.html", "src/notes/boxes.py",
                     "src/notes/checks.py"}  # fmt: skip


def test_page_newer_than_everything_is_not_outdated(project):
    assert not outdated(project)


@pytest.mark.parametrize(
    "name",
    ["docs/boxes.md", "mkdocs.yml", "theme/main.html", "src/notes/boxes.py", "src/notes/checks.py"],
)
def test_page_is_outdated_by_a_change_of_what_it_is_made_from(name, project):
    os.utime(project / name, (2000, 2000))
    assert outdated(project)


def test_page_is_not_outdated_by_a_change_elsewhere(project):
    os.utime(project / "src/notes/other.py", (2000, 2000))
    assert not outdated(project)


def test_page_that_was_never_published_is_outdated(project):
    (project / "site/boxes/index.html").unlink()
    assert outdated(project)
