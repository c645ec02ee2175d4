"""Launches of kernels: what is found, and whether running them agrees; and the same for thousands of broken ones."""

from __future__ import annotations

import ast
import random

import pytest
from kernel_machine import Host, Impossible, draw, ready, run
from kernel_mutants import mutants
from kernel_pages import Page, analysed, pages, parameters

from codemods.core.effect import Effect
from codemods.core.region import Box, Run
from codemods.core.size import Size

PAGES = list(pages())
LEAST_MUTANTS = 1_500
EVERY = 2  # of the mutants: all of them take a minute and a half
RUNS = 3


def title(page: Page) -> str:
    return page.title


def named(page: Page) -> dict[str, Effect]:
    found, places = analysed(page).effects, parameters(page)
    return {places[place]: effect for place, effect in found.items()}


def spelled(box: Box | None) -> str:
    """As the pages write a region."""
    if box is None:
        return "nothing"
    if not box.axes:
        return "all"
    return " x ".join(f"{axis}" + (f" of dimension {at}" if at else "") for at, axis in box.axes)


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_effects_are_as_the_page_says(page: Page) -> None:
    found = named(page)
    for expected in page.expected:
        effect = found[expected.parameter]
        assert spelled(effect.writes) == expected.written, effect.missing or effect.told
        assert all(word in effect.missing for word in expected.words), effect.missing
        seen = spelled(effect.reads).replace("nothing", "")
        assert seen == expected.seen.removeprefix("element "), effect.told
        assert bool(effect.missing) == (expected.written != "all")
    for parameter in set(found) - {expected.parameter for expected in page.expected}:
        assert found[parameter].writes is None and not found[parameter].touches


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_running_the_kernel_agrees(page: Page) -> None:
    assert disagreement(page, named(page), random.Random(page.title), 12) == ""


def test_the_pages_are_enough() -> None:
    assert len(PAGES) >= 30
    assert sum("all" in {expected.written for expected in page.expected} for page in PAGES) >= 25
    assert sum("nothing" in {expected.written for expected in page.expected} for page in PAGES) >= 12


# --- running a launch against what was claimed


def disagreement(page: Page, claimed: dict[str, Effect], chance: random.Random, runs: int) -> str:
    """What a run shows that the effects rule out, "" where nothing was found in so many runs."""
    done = 0
    random.seed(chance.random())
    try:
        kernel = ready(page)
    except SyntaxError:
        return ""
    for _ in range(6 * runs):
        sizes = draw(page, chance)
        try:
            host = run(kernel, sizes)
        except (Impossible, NotImplementedError):
            continue
        except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError):
            continue  # shapes that do not fit: the mutant does not compile
        wrong = next((text for name, effect in claimed.items() if (text := broken(page, host, name, effect))), "")
        if wrong:
            return f"{wrong} with {sizes}"
        done += 1
        if done >= runs:
            break
    return ""


def broken(page: Page, host: Host, parameter: str, effect: Effect) -> str:
    passed = dict(zip(parameters(page).values(), (*page.launch.args,), strict=False))
    node = passed.get(parameter)
    while isinstance(node, ast.Call):
        node = node.args[0]
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        return ""
    memory, shape = host.tensors[node.value.id], host.shapes[node.value.id]
    part = set() if effect.writes is None else elements(effect.writes, shape, host)
    if part - memory.written:
        return f"{parameter}: {sorted(part - memory.written)} is not written"
    if not effect.touches and memory.written - part:
        return f"{parameter}: {sorted(memory.written - part)} is written"
    seen = set() if effect.reads is None else elements(effect.reads, shape, host)
    if memory.seen - seen:
        return f"{parameter}: {sorted(memory.seen - seen)} is seen"
    return ""


def elements(box: Box, shape: list[int], host: Host) -> set[int]:
    places = {()}  # type: ignore[var-annotated]
    for at, extent in enumerate(shape):
        axis = box.axis(at)
        assert isinstance(axis, Run)
        chosen = range(extent)[number(axis.low, host) : None if axis.high is None else number(axis.high, host)]
        places = {(*place, index) for place in places for index in chosen}
    result = set()
    for place in places:
        flat = 0
        for index, extent in zip(place, shape, strict=True):
            flat = flat * extent + index
        result.add(flat)
    return result


def number(size: Size, host: Host) -> int:
    total = 0
    for monomial, factor in size.terms:
        for atom in monomial:
            factor *= host.size(ast.parse(atom.name, mode="eval").body)
        total += factor
    return total


# --- mutants


def test_no_mutant_keeps_a_proof_that_running_it_refutes() -> None:
    made = [(page, what, mutant) for page in PAGES for what, mutant in mutants(page)][::EVERY]
    kept, wrong = 0, []
    for number, (page, what, mutant) in enumerate(made):
        found = named(mutant)
        kept += any(effect.writes is not None for effect in found.values())
        assert not any("internal error" in effect.told for effect in found.values()), (page.title, what)
        if text := disagreement(mutant, found, random.Random(number), RUNS):
            wrong.append(f"{page.title}, {what}: {text}")
    assert not wrong
    assert len(made) >= LEAST_MUTANTS
    assert len(made) // 10 < kept < len(made) * 9 // 10
