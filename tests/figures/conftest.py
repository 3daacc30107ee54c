import matplotlib.pyplot as plt
import pytest

from notes.figures.style import STYLE


@pytest.fixture(autouse=True)
def _style():
    """Every test draws as the pages do, and leaves no figure open."""
    with plt.style.context(STYLE):
        yield
    plt.close("all")
