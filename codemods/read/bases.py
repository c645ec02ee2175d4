"""What the text of a file says about classes: which name which others among their bases, and where a class or a method
may come from in another way. Most files are never parsed."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass

from codemods.core.patterns import pattern

# each begins with letters of its own, or a new line: the search is several times as fast
IMPORT = re.compile(rb"import\b[ \t]*(\([^)]*\)|(?:[^\n]*\\\r?\n)*[^\n]*)")
SET = pattern(  # with the last name of a value that is a name, or names with dots
    rb"\n[ \t]*+(\w++)[ \t]*+(?::[^=\n]*+)?=(?!=)[ \t]*+(?:(?:\w++\.)*+(\w++)[ \t]*+(?=[\r\n#;]|\Z))?"
)
CLASS = re.compile(rb"class[ \t\f\\]")
SUBCLASS = re.compile(
    rb"class(?:[ \t\f]|\\\n)+([\w\x80-\xff]+)[ \t]*(?:\[(?:[^\[\]]|\[[^\[\]]*\])*\])?[ \t]*"
    rb"(?:\(((?:#[^\n]*|[^#])*?)\)[ \t]*)?:"
)
HEAD = re.compile(rb"(?<![.\w])[A-Za-z_]\w*")
LAST = re.compile(rb"(\w+)\s*(?:,|$)")
INDEX = re.compile(rb"(?<=\w)\[[^\[\]]*\]")
KEYWORD = re.compile(rb"\w+[ \t]*=(?!=)[^,]*")
COMMENT = re.compile(rb"#[^\n]*")
SIGNATURE = re.compile(rb"\bdef[ \t]+\w+[^(]*\(([^)]*)\)|\blambda\b([^:]*):")
MAKES = {word: re.compile(word + rb"[ \t]*\(") for word in (b"type", b"Meta", b"make_dataclass")}
TYPE = re.compile(rb"=[ \t]*type[ \t]*$", re.MULTILINE)
CALLED = re.compile(rb"\)\([ \t\n]*['\"]\w*['\"],[ \t\n]*\(")  # `type(A)("B", (A,), {..})`
PATCH = pattern(rb"\n[ \t]*+([A-Z_]\w*+)\.(\w++)[ \t]*+(?:=(?!=)|[:,])")  # with a note, or one of several that are set
INNER = pattern(rb"\.([A-Z_]\w*+)\.(\w++)[ \t]*+(?:=(?!=)|[:,])")  # of a class in a module
SETATTR = re.compile(rb"setattr\b[ \t]*(\(?)[ \t\r\n]*(?:\w+\.)*(\w*)[ \t]*,?[ \t\r\n]*(?:['\"](\w*)['\"][ \t]*,)?")
BUILTIN = frozenset(name.encode() for name in dir(builtins))


@dataclass(frozen=True, slots=True)
class Text:
    """`classes`: each with all names in its list of bases; `above`: with those of the bases themselves. `renames`:
    names with others that are given to the same. `computed`: names that are given the result of anything else. `wild`:
    classes of which it cannot be said what is above them. `makes`: classes are made by calls. `patches`: attributes
    that are set, "*" for any, with what stands in front of the dot."""

    classes: tuple[tuple[bytes, frozenset[bytes]], ...]
    renames: frozenset[tuple[bytes, bytes]]
    above: tuple[tuple[bytes, frozenset[bytes]], ...]
    computed: frozenset[bytes]
    wild: frozenset[bytes]
    makes: bool
    patches: frozenset[tuple[bytes, bytes]]


def text_of(source: bytes) -> Text:
    source = b"\n" + (source.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in source else source)
    imported, renames = _imports(source)
    computed: set[bytes] = set()
    for name, plain in SET.findall(source):
        if plain:
            renames.add((plain, name))
        else:
            computed.add(name)
    classes = list(_classes(source)) if b"class" in source else []
    wild: set[bytes] = set()
    above: list[tuple[bytes, frozenset[bytes]]] = []
    if classes:
        named = {name for _, name, _ in classes}
        given = {name for old, name in renames if old in imported or old in BUILTIN or old in named}
        known = imported | BUILTIN | named | given
        told = [(indent, name, _plainly(bases)) for indent, name, bases in classes]
        above = [(name, frozenset(LAST.findall(bases))) for _, name, bases in told]
        wild = set(_wild(source, told, known - computed))
    return Text(
        tuple((name, frozenset(re.findall(rb"\w+", bases))) for _, name, bases in classes if bases),
        frozenset(pair for pair in renames if pair[0] != pair[1]),
        tuple(above),
        frozenset(computed),
        frozenset(wild),
        _makes(source),
        frozenset(_patches(source)),
    )


def _classes(source: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Every class at the start of a line: what it is indented by, its name, and its list of bases."""
    for word in CLASS.finditer(source):
        indent = source[source.rfind(b"\n", 0, word.start()) + 1 : word.start()]
        if not indent.strip(b" \t\f") and (match := SUBCLASS.match(source, word.start())):
            yield indent, match[1], match[2] or b""


def _imports(source: bytes) -> tuple[set[bytes], set[tuple[bytes, bytes]]]:
    """Every name in an import, and those that give another one."""
    imported: set[bytes] = set()
    renames: set[tuple[bytes, bytes]] = set()
    for match in IMPORT.finditer(source):
        before = source[source.rfind(b"\n", 0, match.start()) + 1 : match.start()].strip()
        if before and not before.startswith(b"from"):
            continue
        words = re.findall(rb"[\w.]+", COMMENT.sub(b"", match[1]))
        if before:
            imported.update(words)
        else:
            imported.update(word for name in words for word in name.split(b"."))
        for place in [place for place, word in enumerate(words) if word == b"as"] if b"as" in words else ():
            if 0 < place < len(words) - 1:
                renames.add((words[place - 1].rpartition(b".")[2], words[place + 1]))
    return imported, renames


def _plainly(bases: bytes) -> bytes:
    """A list of bases without comments, keywords and what stands in brackets, as in `Generic[T]`."""
    text = COMMENT.sub(b"", bases) if b"#" in bases else bases
    while b"[" in text and (inner := INDEX.sub(b"", text)) != text:
        text = inner
    return KEYWORD.sub(b"", text) if b"=" in text else text


def _wild(source: bytes, classes: list[tuple[bytes, bytes, bytes]], known: set[bytes]) -> Iterator[bytes]:
    parameters: set[bytes] | None = None
    for indent, name, bases in classes:
        heads = set(HEAD.findall(bases))
        plain = bases.isascii() and not any(mark in bases for mark in (b"(", b"*", b"["))
        if not plain or not heads <= known:
            yield name
        elif indent and heads:  # its bases may be parameters of a function around it
            if parameters is None:
                found = (match[1] or match[2] or b"" for match in SIGNATURE.finditer(source))
                parameters = {word for text in found for word in re.findall(rb"\w+", text)}
            if heads & parameters:
                yield name


def _makes(source: bytes) -> bool:
    """`type("B", (A,), {..})`, or another name for what does that."""
    if b"new_class" in source or b"__bases__" in source or TYPE.search(source):
        return True
    calls = (match for word, called in MAKES.items() if word in source for match in called.finditer(source))
    return any(_with_more(source, match) for match in calls)


def _with_more(source: bytes, match: re.Match[bytes]) -> bool:
    """A call with more than one argument, or of what it gives with a name and bases."""
    before = source[max(match.start() - 6, 0) : match.start()]
    if before.endswith(b"class ") or match[0].startswith(b"type") and re.search(rb"[.\w]$", before):
        return False
    depth = 0
    for place in range(match.end(), min(match.end() + 400, len(source))):
        byte = source[place : place + 1]
        depth += (byte in (b"(", b"[", b"{")) - (byte in (b")", b"]", b"}"))
        if depth < 0:
            return CALLED.match(source, place) is not None
        if not depth and byte == b",":
            return True
    return True


def _patches(source: bytes) -> Iterator[tuple[bytes, bytes]]:
    yield from PATCH.findall(source)
    yield from INNER.findall(source)
    if b"setattr" in source:
        for called, holder, attr in SETATTR.findall(source):
            yield (holder, attr or b"*") if called else (b"*", b"*")
