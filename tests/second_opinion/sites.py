"""The accepted sites of the corpora, and what running them says."""

from __future__ import annotations

import ast
import multiprocessing
import re
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

from corpora import Corpus, UnavailableError, fetch, load
from second_opinion.cut import Function, Module, World, around, functions
from second_opinion.search import Search, difference, launchers

from codemods import Options, rewrite

ROW = re.compile(r"(?P<path>\S+):(?P<line>\d+) (?P<codemod>\w+) (?P<verdict>proved|assumed) -  ")
WANTED = 8  # inputs of one function


@dataclass(frozen=True)
class Site:
    corpus: Corpus
    path: str
    line: int
    codemod: str
    assumes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.corpus} {self.path}:{self.line} {self.codemod}"


@dataclass(frozen=True)
class Opinion:
    """`word`: what came of running both forms; `why`: more of it."""

    AGREED: ClassVar = "agreed"
    DIFFERS: ClassVar = "differs"
    UNFINISHED: ClassVar = "reached, never returned"
    UNREACHED: ClassVar = "never reached"
    UNABLE: ClassVar = "cannot be run"

    site: Site
    word: str
    why: str

    def __str__(self) -> str:
        return f"{self.word}: {self.site}: {self.why}"


def sites(only: str = "") -> Iterator[Site]:
    for corpus in load():
        if corpus.rows == "none":
            continue
        for row in corpus.expected.read_text("utf-8").splitlines():
            if found := ROW.match(row):
                last = row.rpartition("|")[2].split() if found["verdict"] == "assumed" else []
                site = Site(corpus, found["path"], int(found["line"]), found["codemod"], tuple(last))
                if only in str(site):
                    yield site


def opinions(only: str, tries: int, seed: int) -> Iterator[Opinion]:
    groups: dict[tuple[Corpus, str], list[Site]] = {}
    for site in sites(only):
        groups.setdefault((site.corpus, site.path), []).append(site)
    for (corpus, path), found in groups.items():
        try:
            root = fetch(corpus)
        except UnavailableError as error:
            yield from (Opinion(site, Opinion.UNABLE, str(error)) for site in found)
            continue
        answer = apart(corpus, root, root / path, found, tries, seed, True)
        answer = answer or apart(corpus, root, root / path, found, tries, seed, False)
        yield from answer or (Opinion(site, Opinion.UNABLE, "the interpreter ends") for site in found)


def apart(*what: Any) -> list[Opinion] | None:
    """`of_file` in a process of its own; None where that does not live to answer."""
    here = multiprocessing.get_context("fork")
    receiver, sender = here.Pipe(duplex=False)
    process = here.Process(target=send, args=(sender, *what))
    process.start()
    sender.close()
    try:
        answer: list[Opinion] = receiver.recv()
    except EOFError:
        return None
    finally:
        process.join()
    return answer


def send(sender: Connection, *what: Any) -> None:
    sender.send(list(of_file(*what)))


def of_file(
    corpus: Corpus, root: Path, file: Path, found: list[Site], tries: int, seed: int, kernels: bool
) -> Iterator[Opinion]:
    lines = {(site.codemod, site.line) for site in found}
    assume = tuple({name for site in found for name in site.assumes})
    source = file.read_bytes()
    text, rounds = rewrite(
        source,
        file.relative_to(root).as_posix(),
        Options(every=True, assume=assume),
        file,
        lambda decision: (decision.codemod, decision.span.line) in lines,
    )
    done = {(decision.codemod, decision.span.line) for applied in rounds for decision in applied}
    package = corpus.name
    before = World(package, root, kernels=kernels)
    after = World(package, root, {file: text.decode()}, kernels)
    for function, group in grouped(before, file, found):
        if function is None:
            yield from (Opinion(site, Opinion.UNABLE, "not in a function") for site in group)
            continue
        best: dict[Site, Opinion] = {}
        for old in [function] if "jit" not in decorators(function) else launchers(function.module, function.node.name):
            new = same(after.file(file), old)
            for opinion in of_function(old, new, group, tries, seed):
                if opinion.site not in best or rank(opinion) < rank(best[opinion.site]):
                    best[opinion.site] = opinion
        yield from best.values() or (Opinion(site, Opinion.UNABLE, "a kernel launched elsewhere") for site in group)
    assert len(done) == len(found), (done, lines)


def rank(opinion: Opinion) -> int:
    order = (Opinion.DIFFERS, Opinion.AGREED, Opinion.UNFINISHED, Opinion.UNREACHED, Opinion.UNABLE)
    return order.index(opinion.word)


def decorators(function: Function) -> set[str]:
    return {ast.unparse(one).rpartition(".")[2] for one in function.node.decorator_list}


def grouped(world: World, file: Path, found: list[Site]) -> Iterator[tuple[Function | None, list[Site]]]:
    groups: dict[ast.AST | None, tuple[Function | None, list[Site]]] = {}
    for site in found:
        function = around(world.file(file), site.line)
        groups.setdefault(function and function.node, (function, []))[1].append(site)
    yield from groups.values()


def same(module: Module, old: Function) -> Function:
    """The function of the rewritten file."""
    twins = [one for one in functions(module) if one.name == old.name]
    olds = [one.node for one in functions(old.module) if one.name == old.name]
    return twins[olds.index(old.node)]


def of_function(old: Function, new: Function, group: list[Site], tries: int, seed: int) -> Iterator[Opinion]:
    search = Search(old, tuple({site.line for site in group}), seed)
    search.climb(tries, WANTED)
    compared, wrong = 0, ""
    lines: set[int] = set()
    for fills in search.inputs:
        answer = difference(old, new, fills)
        if answer is None:
            continue
        compared += 1
        lines |= search.hits[search.inputs.index(fills)]
        if answer:
            wrong = f"{answer} with {fills}"
            break
    ended = next(iter(search.errors), "")
    for site in group:
        if any(name.startswith("contract:") for name in site.assumes):
            yield Opinion(site, Opinion.UNABLE, "it rests on a compiled operator")
        elif wrong and old.module.world.left_out:
            names = " and ".join(sorted(old.module.world.left_out))
            yield Opinion(site, Opinion.UNABLE, f"the interpreter ends, and without {names} nothing is stored")
        elif wrong:
            yield Opinion(site, Opinion.DIFFERS, wrong)
        elif site.line in lines:
            yield Opinion(site, Opinion.AGREED, f"{compared} inputs")
        elif site.line in search.reached:
            yield Opinion(site, Opinion.UNFINISHED, ended)
        else:
            yield Opinion(site, Opinion.UNREACHED, ended)
