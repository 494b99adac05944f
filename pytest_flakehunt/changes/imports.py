"""Which files of the project a module needs: by the imports that stand in it, and in those, and so on."""

import ast
import importlib.machinery
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from pytest_flakehunt.ground import project

LOADERS = frozenset({"import_module", "importorskip", "__import__"})
"""Functions that import what they are told."""


class Imports:
    """The imports of the project's modules, as they stand in their sources."""

    def __init__(
        self, modules: Mapping[str, ModuleType], root: Path, folder: Path, gone: Collection[Path] = ()
    ) -> None:  # fmt: skip
        """Look at what is imported.

        Args:
            modules: as in ``sys.modules``, once the suite is collected.
            root: of the repository: files outside are nobody's.
            folder: pytest's root directory.
            gone: files of the project that are no longer there.
        """
        self.root, self.folder, self._gone = root.resolve(), folder.resolve(), frozenset(gone)
        self._path = [entry for entry in sys.path if self._holds(Path(entry or "."))]
        self._modules = dict(modules)
        self._names: dict[Path, str] = {}
        self._needs: dict[Path, frozenset[Path]] = {}
        for name, module in list(modules.items()):
            if (path := self._file(module)) is not None and name != "__main__":
                self._names.setdefault(path, name)

    def way(self, start: Iterable[Path], wanted: frozenset[Path]) -> list[Path]:
        """Give the shortest chain of files from one of some to one of others; empty where there is none."""
        before: dict[Path, Path | None] = dict.fromkeys(start)
        line = list(before)
        for path in line:
            if path in wanted:
                chain: list[Path] = [path]
                while (last := before[chain[-1]]) is not None:
                    chain.append(last)
                return chain[::-1]
            for needed in sorted(self.needs(path)):
                if needed not in before:
                    before[needed] = path
                    line.append(needed)
        return []

    def needs(self, path: Path) -> frozenset[Path]:
        """Give the files that one imports itself, wherever in it."""
        if path not in self._needs:
            self._needs[path] = frozenset(self._needed(path))
        return self._needs[path]

    def _needed(self, path: Path) -> Iterator[Path]:
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError):
            return
        package = self._package(path)
        for name in (*_named_plugins(tree), *_loaded_by_name(tree)):
            yield from self._found(name)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self._found(alias.name)
            elif isinstance(node, ast.ImportFrom):
                name = self._absolute(package, node)
                yield from self._found(name)
                for alias in node.names:
                    yield from self._found(f"{name}.{alias.name}", parents=False)

    def _package(self, path: Path) -> str:
        name = self._names.get(path, "")
        module = self._modules.get(name)
        if module is not None and getattr(module, "__package__", None):
            return str(module.__package__)
        folder = project.package_root(path.parent)
        return ".".join(path.parent.relative_to(folder).parts)

    @staticmethod
    def _absolute(package: str, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        outer = package.split(".")[: len(package.split(".")) - node.level + 1]
        return ".".join([*outer, *([node.module] if node.module else [])])

    def _found(self, name: str, *, parents: bool = True) -> Iterator[Path]:
        """Yield the file of a module, and those of the packages it lies in, which are imported with it."""
        parts = name.split(".")
        for length in range(1 if parents else len(parts), len(parts) + 1):
            path = self._place(".".join(parts[:length]))
            if path is not None:
                yield path

    def _place(self, name: str) -> Path | None:
        """Give the file of a module of the project, whether it is imported yet, or gone."""
        module = self._modules.get(name)
        if module is not None:
            return self._file(module)
        where: Sequence[str] = self._path
        parts = name.split(".")
        for part in parts[:-1]:
            spec = importlib.machinery.PathFinder.find_spec(part, where)
            where = list(getattr(spec, "submodule_search_locations", None) or ())
        for folder in where:
            for path in (Path(folder, f"{parts[-1]}.py"), Path(folder, parts[-1], "__init__.py")):
                if path.resolve() in self._gone:
                    return path.resolve()
        spec = importlib.machinery.PathFinder.find_spec(parts[-1], where) if parts[-1] else None
        return self.inside(spec.origin) if spec is not None else None

    def _holds(self, folder: Path) -> bool:
        try:
            return folder.resolve().is_relative_to(self.root)
        except OSError:
            return False

    def _file(self, module: ModuleType) -> Path | None:
        try:
            return self.inside(module.__file__)
        except Exception:  # noqa: BLE001 - a stand-in for a module may do anything
            return None

    def inside(self, file: object) -> Path | None:
        """Give a source of the project as it lies there, be it read from an installed copy; None for any other."""
        if not isinstance(file, str):
            return None
        for folder in (self.root, self.folder):
            path = Path(project.copied(file, folder)).resolve()
            if path.is_relative_to(self.root) and path.suffix == ".py":
                return path
        return None


def _loaded_by_name(tree: ast.Module) -> Iterator[str]:
    """Yield modules that are imported by a function that is given their name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(first := node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in LOADERS and isinstance(first.value, str):
                yield first.value


def _named_plugins(tree: ast.Module) -> Iterator[str]:
    """Yield the modules that a conftest or test module names as plugins."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "pytest_plugins" for target in statement.targets
        ):
            for node in ast.walk(statement.value):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
