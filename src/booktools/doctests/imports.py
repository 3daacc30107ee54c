"""Notice that a block uses a module that its reader does not have, or that it has not imported.

The fork of a program that has imported half the world finds `matplotlib.figure` after a bare
`import matplotlib`; a reader's empty file does not. So `preload` remembers what each library has
loaded alone. What another import of the block may have loaded is left to `pytest --fresh`.
"""

import ast
import sys
import weakref
from collections.abc import Iterator

# What the package declares (a test compares), and Pillow, which two of them need.
PACKAGES = ("PIL", "tqdm", "numpy", "matplotlib", "torch", "torchvision", "sklearn")
STANDARD = "concurrent ctypes email html http importlib urllib xml logging multiprocessing asyncio"
LATER = (
    *(f"booktools.doctests.{name}" for name in ("aftermath", "figures", "randomness")),
    *("matplotlib.pyplot", "sklearn.datasets", "torch.utils.data"),
    "torch._dynamo",  # the first step of an optimizer would import it
)
_BARE: dict[str, set[str]] = {}  # for each library: its modules after a bare import of it


def preload() -> None:
    """Import the big libraries, those first that need no other."""
    for name in (*STANDARD.split(), *PACKAGES):
        __import__(name)
        _BARE[name] = {module for module in sys.modules if module.startswith(name + ".")}
    for name in LATER:
        __import__(name)
    for finalizer in list(weakref.finalize._registry):  # type: ignore[attr-defined]
        finalizer.atexit = False  # of libraries, for the end of this program: 40 ms for each fork


def faults(code: str) -> Iterator[tuple[int, str]]:
    """Give line and message for each module that only the sandbox has."""
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.stmt | ast.expr)]
    imports = [(node, name) for node in nodes for name in _imported(node)]
    roots = [name.partition(".")[0] for _, name in imports]
    bare: dict[str, str] = {}  # what the block calls a library of which it imports nothing else
    for (node, _), root in zip(imports, roots, strict=True):
        if root not in {"notes", *PACKAGES, *sys.stdlib_module_names}:
            yield node.lineno, f"a page must import the package and what it needs, got {root}"
        if isinstance(node, ast.Import) and root in _BARE and roots.count(root) == 1:
            bare |= {alias.asname or root: root for alias in node.names if alias.name == root}
    for node in nodes if "notes" not in roots else ():
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=part) if name in bare:
                root, module = bare[name], f"{bare[name]}.{part}"
                if module in sys.modules.keys() - _BARE[root] and not _is_lazy(root, part):
                    yield node.lineno, f"a page must import what it uses, got no import of {module}"


def _imported(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module)):
            yield module
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
            if ast.unparse(function).endswith(("import_module", "__import__")):
                yield name


def _is_lazy(package: str, name: str) -> bool:
    """Whether the package itself imports this module when somebody asks for it."""
    try:
        vars(sys.modules[package])["__getattr__"](name)
    except (KeyError, AttributeError):
        return False
    return True
