"""American spelling in prose, code and the names of files, as PyTorch writes."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("docs", "src", "tests", "snippets", "theme", "requirements", ".github", ".ci")
FILES = ("README.md", "CONTRIBUTING.md", "mkdocs.yml", "pyproject.toml", "Makefile", "conftest.py")
TEXTS = {".md", ".ipynb", ".py", ".csv", ".json", ".yml", ".html", ".css", ".js", ".svg", ".txt"}
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")  # also those of snake_case and CamelCase
BRITISH = re.compile(
    r"""
    (?:un|re|dis|multi|mis)?(?:
        (?:colour|behaviour|neighbour|favour|honour|flavour|rumour|humour|labour|harbour|vapour|grey
          |endeavour|saviour|savour|catalogu|analogue|sceptic|artefact|manoeuv|aluminium|judgement).*
        | (?:label|model|travel|cancel|signal|level|channel|tunnel|total|fuel|equal|initial|panel
          |marvel|quarrel|counsel|jewel|dial|spiral|pencil)l(?:ed|ing|er|ers)
        | (?:kilo|milli|centi|micro|nano|peri|para)*
          (?:centre|metre|litre|fibre|theatre|calibre|lustre|sombre|spectre)[sd]? | centring
        | (?:defence|offence|licence|pretence|programme|cheque|tyre|storey|kerb|plough|mould)s?
        | (?:fulfil|enrol|instal|distil|skilful|wilful)(?:s|ment|ments)?
        | maths | ageing | whilst | amongst | learnt | spelt | dreamt | burnt
        | (?:ana|para|cata|dia|hydro)lys(?:e|ed|es|er|ers|ing)
        | \w{2,}is(?:e|ed|es|er|ers|ing|able|ation|ations|ational)
    )
    """,
    re.VERBOSE,
)
# Words in which -ise is no ending, and all that end like them.
ALLOWED = re.compile(
    r"""
    cancelled | (?:  # cancelled is a method of asyncio
      (?:a|sun)?ri
      |\w*(?:noi|rai|surpri|promi|premi|preci|conci|exci|exerci|experti|enterpri|advi|revi|devi
        |improvi|supervi|televi|compri|gui|wi|franchi|paradi|treati|brui|crui|poi|despi|demi|cri
        |tortoi|turquoi|merchandi|adverti|chai|liai)
    )s(?:e\w{,2}|ing|able|ation)
    """,
    re.VERBOSE,
)


def british(text):
    """List the words of a text that are spelled the British way."""
    words = {word.lower() for word in WORD.findall(text.replace("\\n", " "))}
    return sorted(w for w in words if BRITISH.fullmatch(w) and not ALLOWED.fullmatch(w))


def read(path):
    """The words of a file, without the pictures of a notebook."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return text


def test_british_words_are_noticed():
    text = """
    analyse artefacts behaviour catalogue centre colour favourite fulfil generalised greyscale
    initialised kilometre labelled licence memorises modelling multilabelled neighbours
    normalisation optimise optimiser parallelise programme recentred recognisable regularisation
    unlabelled vectorised whilst
    """
    assert british(text) == text.split()
    assert british("a_colour_map NormaliseImage LABELLED") == ["colour", "labelled", "normalise"]


def test_american_words_are_not():
    text = """
    color grayscale center kilometer labeled modeling behavior neighbors normalization noise noisy
    raise raised exercise precise otherwise elementwise depthwise promise surprising revised
    unsupervised clockwise analysis basis this wise size parameter diameter perimeter programmer
    controlled compelled enrolled installed controlling dialog catalog license advisable risen
    compromised improvisation likewise noiseless metric centric crisis isolation visible arises
    """
    assert british(text) == []


@pytest.mark.parametrize("folder", [*FOLDERS, *FILES])
def test_everything_is_spelled_the_american_way(folder):
    found = {}
    for path in sorted([*(ROOT / folder).rglob("*"), ROOT / folder]):
        if path == Path(__file__) or "__pycache__" in path.parts or not path.is_file():
            continue
        name = path.relative_to(ROOT).as_posix()
        is_text = path.suffix in TEXTS or folder in FILES
        if words := british(name) + british(read(path) if is_text else ""):
            found[name] = words
    assert found == {}
