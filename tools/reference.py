"""How griffe reads the package for the reference (`docs/api/`): what looking at the source does not tell it.

- `go = _Pool._go` is a method with a docstring, and `submit = _pool.submit` a function: shown as such. Where
  type checkers get a method of their own (`if TYPE_CHECKING`), that has the better types, the core the text.
- Keywords that are told one by one (`**options: Unpack[Options]`) are parameters like others.
- An example in a docstring is one for the reader, too: it becomes a block of code.
- A public name in a text becomes a link.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any

import griffe

EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)
NAME = re.compile(r"(?<![`\[])`(?:antspy\.)?([A-Z]\w+(?:\.[a-z]\w+)?)`(?!`)")
FENCED = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)


class Reference(griffe.Extension):
    """Run by mkdocstrings (`mkdocs.yml`)."""

    def __init__(self) -> None:
        self._bound: list[tuple[griffe.Class, str, str, str]] = []
        """Class, name, and which class's method under which name it is bound to."""

    def on_class_members(self, *, node: Any, cls: griffe.Class, agent: Any, **kwargs: Any) -> None:
        """Find what is bound to a method of the core: griffe keeps one of the two branches only."""
        for statement in ast.walk(node):
            match statement:
                case ast.Assign(
                    targets=[ast.Name(id=name)],
                    value=ast.Attribute(value=ast.Name(id=owner), attr=method),
                ) if owner.startswith("_"):
                    self._bound.append((cls, name, owner, method))

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **kwargs: Any) -> None:
        """Put in what is missing, when all modules have been read."""
        if pkg.name != "antspy":
            return
        for cls, name, owner, method in self._bound:
            _bind(cls, name, pkg[f"_antspy.{owner}.{method}"])
        default = pkg["default"]
        for name, member in list(default.members.items()):
            if member.is_attribute and str(member.value).startswith("_pool."):
                _bind(default, name, pkg[f"pool.Pool.{name}"])
        known = set(_public(pkg))
        for thing in _all(pkg):
            if isinstance(thing, griffe.Function):
                _unpack(thing)
            if thing.docstring:
                thing.docstring.value = _shown(thing.docstring.value, known)


def _bind(parent: griffe.Module | griffe.Class, name: str, method: griffe.Object | griffe.Alias) -> None:
    """Have the method under this name there."""
    target = method.final_target if isinstance(method, griffe.Alias) else method
    assert isinstance(target, griffe.Function), target
    there = parent.members.get(name)
    docstring = target.docstring
    if isinstance(there, griffe.Function):
        if docstring:
            there.docstring = _copy(docstring, there)
        return
    own = [one for one in target.parameters if parent.is_class or one.name != "self"]
    function = griffe.Function(
        name,
        lineno=there.lineno if there else None,
        endlineno=there.endlineno if there else None,
        parameters=griffe.Parameters(*own),
        returns=target.returns,
    )
    function.labels |= target.labels
    parent.set_member(name, function)
    if docstring:
        function.docstring = _copy(docstring, function)


def _unpack(function: griffe.Function) -> None:
    """Have a parameter for each keyword that the docstring tells of, with its default (`_DEFAULTS`)."""
    told = function.docstring or (function.parent.docstring if function.parent else None)
    text = told.value if told else ""
    for parameter in list(function.parameters):
        annotation = parameter.annotation
        if (
            parameter.kind is not griffe.ParameterKind.var_keyword
            or not isinstance(annotation, griffe.ExprSubscript)
            or str(annotation.left) != "Unpack"
            or re.search(rf"^\s+{parameter.name}: ", text, re.MULTILINE)
        ):
            continue
        keywords = function.modules_collection[annotation.slice.canonical_path]  # type: ignore[union-attr]
        attributes = keywords.parent.attributes.values()
        defaults = next((one.value for one in attributes if str(one.annotation) == keywords.name), None)
        if defaults is None:
            continue
        del function.parameters[parameter.name]
        for name, value in zip(defaults.keys, defaults.values, strict=True):
            name = ast.literal_eval(str(name))
            function.parameters.add(
                griffe.Parameter(
                    name,
                    annotation=keywords.members[name].annotation,
                    kind=griffe.ParameterKind.keyword_only,
                    default=value,
                )
            )


def _copy(docstring: griffe.Docstring, parent: griffe.Object) -> griffe.Docstring:
    return griffe.Docstring(docstring.value, lineno=docstring.lineno, parent=parent, parser=docstring.parser)


def _public(pkg: griffe.Module) -> Iterator[str]:
    """Yield the names that a link may have: `Pool`, `Pool.submit`."""
    for name in pkg.exports or ():
        if not isinstance(name, str) or name not in pkg.members or not pkg[name].is_class:
            continue
        yield name
        members = pkg[name].members if name == "ThreadPoolExecutor" else pkg[name].all_members
        yield from (f"{name}.{member}" for member in members if not member.startswith("_"))


def _all(thing: griffe.Object) -> Iterator[griffe.Object]:
    yield thing
    for member in thing.members.values():
        if isinstance(member, griffe.Object):
            yield from _all(member)


def _shown(text: str, known: set[str]) -> str:
    """Return the text as Markdown."""
    text = EXAMPLE.sub(lambda found: f"```pycon\n{found[0]}\n```", text)
    parts = FENCED.split(text)
    for number in range(0, len(parts), 2):
        parts[number] = NAME.sub(lambda found: _link(found, known), parts[number])
    return "".join(parts)


def _link(found: re.Match[str], known: set[str]) -> str:
    return f"[{found[0]}][antspy.{found[1]}]" if found[1] in known else found[0]
