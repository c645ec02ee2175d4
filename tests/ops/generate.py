"""Write codemods/ops/torch.json from the installed torch, every row measured.

    python tests/ops/generate.py            write the table
    python tests/ops/generate.py --check    exit status 1 when a row differs
    python tests/ops/generate.py NAME...    print what is measured for methods.NAME, functions.NAME, ...

Needs Linux (forbidden memory is made with mprotect) and the package `expecttest`, which torch's own samples import.
"""

from __future__ import annotations

import difflib
import json
import os
import signal
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from op_by_hand import by_hand
from op_meta import NO_TENSORS, measured_without_tensors
from op_rows import CHANGES, NEEDS_A_DEVICE, Row, annotated, collected, measured, resolved, schema_name
from op_samples import torch_samples

TABLE = Path(__file__).parents[2] / "codemods" / "ops" / "torch.json"
TABLES = ("functions", "methods", "functional", "init", "attributes")

# Deliberately unseen: they hand out the address, keep a reference, change the memory behind a tensor, run other code.
UNSEEN = """
    data_ptr const_data_ptr resize_as slice_inverse is_alias_of storage untyped_storage typed_storage storage_type set_
    set_data share_memory_ record_stream register_hook register_post_accumulate_grad_hook backward retain_grad
    retains_grad from_numpy frombuffer from_file to_dlpack from_dlpack apply_ map_ map2_ swap_tensors module_load
    as_subclass rename rename_ refine_names align_to align_as new has_names names reinforce save load compile vmap grad
    grad_fn grad_dtype name output_nr reinforce_type volatile ipu is_shared unsafe_split unsafe_chunk
    unsafe_split_with_sizes set_autocast_enabled set_default_device set_default_dtype bartlett_window_out
    feature_dropout_ index_put_impl_ resize sparse_mask coalesce values indices
"""
STRANGE = """
    sparse_coo sparse_cs sparse_bs sparse_compressed sparse_resize sparse_dim sparse_mask to_sparse to_mkldnn mkldnn_
    quantized_ quantize_ fbgemm_ miopen_ cudnn_ q_ ccol_indices crow_indices col_indices row_indices fake_quantize
    fused_moving fork wait set_ is_deterministic import_ir batch_norm native_batch_norm
"""


def hidden(name: str) -> bool:
    last = name.rpartition(".")[2]
    return (
        last.startswith("_")
        or last in UNSEEN.split()
        or last.startswith(tuple(STRANGE.split()))
        and last not in NO_TENSORS
    )


def names(table: str) -> list[str]:
    hand = by_hand()
    match table:
        case "methods":
            found = [n for n in dir(torch.Tensor) if callable(getattr(torch.Tensor, n, None))]
        case "attributes":
            found = [n for n in dir(torch.Tensor) if not callable(getattr(torch.Tensor, n, None))]
        case "functional":
            found = [n for n in dir(torch.nn.functional) if known("functional", n, hand, f"nn.functional.{n}")]
        case "init":
            found = [n for n in dir(torch.nn.init) if f"nn.init.{n}" in hand]
        case _:
            spaces = {"": torch, "linalg.": torch.linalg, "special.": torch.special, "fft.": torch.fft}
            found = [p + n for p, s in spaces.items() for n in dir(s) if known("functions", p + n, hand, p + n)]
            found += ["nn.utils.rnn.pad_sequence"]
    return sorted(n for n in found if not hidden(n))


def known(table: str, name: str, hand: dict[str, Any], key: str) -> bool:
    function = resolved(table, name)
    if not callable(function) or isinstance(function, type):
        return False
    return key in hand or key in torch_samples() or (name in torch_samples()) or schema_name(table, name) is not None


def alone(table: str, name: str) -> Row:
    """Measure in a child process, so that a crash or a hang costs one row only."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(120)
        os.close(read)
        try:
            row = measured(table, name, collected(table, name))
        except Exception as error:
            row = Row(None, f"measuring failed: {error!r}")
        os.write(write, json.dumps([row.text, row.why[:500], row.samples]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return Row(*json.loads(answer)) if answer else Row(None, "ended the process")


def rows() -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {table: {} for table in TABLES}
    without = measured_without_tensors()
    for table in TABLES:
        for name in names(table):
            found[table][name] = alone(table, name)
            print(f"\r{table} {name:60}", end="", file=sys.stderr)
    found["functions"] |= {name: Row("meta", "no tensor goes in or comes out", 1) for name in without}
    found["methods"] |= {name: Row("maybe", "not measured") for name in NEEDS_A_DEVICE}
    print(file=sys.stderr)
    reconciled(found)
    return found


def careful(left: Row, right: Row) -> tuple[Row, Row]:
    """`torch.name` and `Tensor.name` are one operator: what one was not seen to do, the other may have been."""
    if CHANGES in (left.why, right.why):
        return replace(left, text=None, why=CHANGES), replace(right, text=None, why=CHANGES)
    if left.text is None or right.text is None:
        return left, right
    kinds, order = {left.text.split()[0], right.text.split()[0]}, ("restride", "update", "maybe")
    flags = set(left.text.split()[1:]) & set(right.text.split()[1:])
    if len(kinds) > 1:
        kind = next((kind for kind in order if kind in kinds), "maybe")
        return replace(left, text=kind), replace(right, text=kind)
    kept = [
        " ".join(w for w in row.text.split() if w != "shape-only" or w in flags) for row in (left, right) if row.text
    ]
    return replace(left, text=kept[0]), replace(right, text=kept[1])


def reconciled(found: dict[str, dict[str, Row]]) -> None:
    for name in sorted(found["functions"].keys() & found["methods"].keys()):
        found["functions"][name], found["methods"][name] = careful(found["functions"][name], found["methods"][name])


def rendered(found: dict[str, dict[str, Row]]) -> str:
    """One row a line, sorted."""
    parts = [f'"torch": {json.dumps(torch.__version__.partition("+")[0])}']
    for table in TABLES:
        lines = [
            f"{json.dumps(name)}: {json.dumps(row.text)}" for name, row in sorted(found[table].items()) if row.text
        ]
        parts.append(f"{json.dumps(table)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{" + ",\n".join(parts) + "}\n"


def summary(found: dict[str, dict[str, Row]]) -> None:
    for table in TABLES:
        kinds = Counter(row.text.split()[0] if row.text else "(no row)" for row in found[table].values())
        print(f"{table}:", dict(kinds))
        for name, row in found[table].items():
            claim = annotated(table, name)
            kind = row.text.split()[0] if row.text else ""
            if (claim, kind) in {("fresh", "view"), ("fresh", "maybe"), ("alias", "new"), ("alias", "meta")}:
                print(f"  {table}.{name}: annotated {claim}, measured {row.text} ({row.samples} calls)")
            if not row.text and row.why != "every call raised":
                print(f"  {table}.{name}: no row, {row.why}")
    every = [(f"{table}.{name}", row) for table in TABLES for name, row in found[table].items()]
    print("every call raised:", *(name for name, row in every if row.why == "every call raised"))
    print("fewer than 5 calls:", *(name for name, row in every if row.text and 1 < row.samples < 5))


def main(arguments: list[str]) -> int:
    torch.set_num_threads(1)
    torch_samples()  # before the children, so that each of them has it
    wanted = [a for a in arguments if not a.startswith("-")]
    for full in wanted:
        table, _, name = full.partition(".")
        print(full, alone(table, name), annotated(table, name))
    if wanted:
        return 0
    found = rows()
    text = rendered(found)
    summary(found)
    if "--check" in arguments:
        old = TABLE.read_text().splitlines()
        difference = list(difflib.unified_diff(old, text.splitlines(), "torch.json", "measured", lineterm="", n=0))
        print("\n".join(difference))
        return 1 if difference else 0
    TABLE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
