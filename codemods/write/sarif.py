"""A run as SARIF 2.1.0: a result a site, its argument as a code flow, its rewrite as a fix.

Loads pydantic, so it is imported where this is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from sarif_pydantic.sarif import (
    ArtifactChange,
    ArtifactContent,
    ArtifactLocation,
    CodeFlow,
    Fix,
    Invocation,
    Level,
    Location,
    LogicalLocation,
    Message,
    Notification,
    PhysicalLocation,
    Region,
    Replacement,
    ReportingDescriptor,
    Result,
    Run,
    Sarif,
    ThreadFlow,
    ThreadFlowLocation,
    Tool,
    ToolDriver,
)

from codemods.core.report import Notice
from codemods.core.span import Step
from codemods.write import edits
from codemods.write.annotations import message
from codemods.write.evidence import saved
from codemods.write.rows import Place, Row
from codemods.write.show import ruling
from codemods.write.source import CannotEdit, Source

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "SRCROOT"
# what SARIF calls a result that needs a look, that could not be settled, and that is right as it stands
KINDS = {"assumed": "review", "unknown": "open", "refuted": "pass"}


def to_sarif(rows: Sequence[Row], failed: Sequence[Notice], rules: Mapping[str, str], version: str) -> str:
    """One document, one run; URIs count from the root of the repository. `rules`: the docstrings of the codemods."""
    names = list(rules)
    driver = ToolDriver(name="torch-codemods", version=version, rules=[_rule(*rule) for rule in rules.items()])
    told = [Notification(level=Level.ERROR, message=Message(text=_notice(notice))) for notice in failed]
    root = ArtifactLocation(description=Message(text="the root of the repository"))
    run = Run.model_validate(
        {
            "tool": Tool(driver=driver),
            "invocations": [
                Invocation.model_validate({"execution_successful": not failed, "toolExecutionNotifications": told})
            ],
            "original_uri_base_ids": {BASE: root},
            "columnKind": "unicodeCodePoints",
            "results": [_result(row, names.index(row.decision.codemod)) for row in rows],
        }
    )
    document: Sarif = Sarif.model_validate({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})
    return f"{document.model_dump_json(by_alias=True, exclude_none=True, indent=2)}\n"


def _rule(name: str, page: str) -> ReportingDescriptor:
    first = page.partition("\n")[0]
    return ReportingDescriptor(
        id=name,
        name="".join(word.capitalize() for word in name.split("_")),
        short_description=Message(text=first.partition(": ")[2] or first),
        full_description=Message(text=page),
        help=Message(text=page, markdown=f"# {name}\n\n```\n{page}\n```\n"),
    )


def _notice(notice: Notice) -> str:
    return f"{notice.path}:{notice.line}: {notice.message}"


def _result(row: Row, index: int) -> Result:
    decision = row.decision
    idle = "informational" if decision.verdict == "proved" else KINDS[decision.verdict]
    fixes = _fixes(row) if not decision.reason else None
    return Result(
        rule_id=decision.codemod,
        rule_index=index,
        kind="fail" if row.todo else idle,
        level=Level.WARNING if row.todo else Level.NONE,
        message=Message(text=f"{ruling(decision)}: {message(decision)}"),
        locations=[
            Location(
                physical_location=_physical(row.place),
                logical_locations=[LogicalLocation(fully_qualified_name=decision.function, kind="function")],
            )
        ],
        code_flows=_flows(row),
        fixes=[fixes] if fixes else None,
        partial_fingerprints={"site/v1": row.fingerprint},
        properties={
            "verdict": decision.verdict,
            **({"reason": decision.reason.code} if decision.reason else {}),
            "assumes": list(decision.assumes),
            "saves": saved(decision.saves),
        },
    )


def _physical(place: Place) -> PhysicalLocation:
    return PhysicalLocation(
        artifact_location=_artifact(place),
        region=Region(
            start_line=place.line,
            start_column=place.column,
            end_line=place.end_line,
            end_column=place.end_column,
        ),
    )


def _artifact(place: Place) -> ArtifactLocation:
    return ArtifactLocation(uri=quote(place.name.encode("utf-8", "surrogateescape")), uri_base_id=BASE)


def _flows(row: Row) -> list[CodeFlow] | None:
    """The lines of the proof, or the path against it."""
    decision = row.decision
    steps = decision.reason.witness if decision.reason else decision.because
    steps = tuple(step for step in steps if step.span.line)
    if not steps:
        return None
    place = Step(decision.path, decision.span, f"{decision.subject}: the site")
    locations = [_flow_location(row, step) for step in (place, *steps)]
    about = "the path against it" if decision.reason else "why it is safe"
    return [CodeFlow(message=Message(text=about), thread_flows=[ThreadFlow(locations=locations)])]


def _flow_location(row: Row, step: Step) -> ThreadFlowLocation:
    text = f"{step.text}; left: {step.left}" if step.left else step.text
    place = _physical(row.locate(step))
    return ThreadFlowLocation(location=Location(physical_location=place, message=Message(text=text)))


def _fixes(row: Row) -> Fix | None:
    """The bytes that the edits exchange, as regions of the text; None where the file cannot be edited."""
    source = row.tree.source(row.file)
    if source is None or not row.decision.edits:
        return None
    try:
        splices = edits.apply(source.raw, [row.decision]).splices
    except CannotEdit:
        return None
    replaced = [
        Replacement(
            deleted_region=_region(source, splice.start, splice.end),
            inserted_content=ArtifactContent(text=splice.text.decode(source.coding)),
        )
        for splice in splices
    ]
    change = ArtifactChange(artifact_location=_artifact(row.place), replacements=replaced)
    return Fix(description=Message(text=message(row.decision)), artifact_changes=[change]) if replaced else None


def _region(source: Source, start: int, end: int) -> Region:
    (line, column), (end_line, end_column) = _position(source, start), _position(source, end)
    return Region(start_line=line, start_column=column, end_line=end_line, end_column=end_column)


def _position(source: Source, offset: int) -> tuple[int, int]:
    """Line and column in characters, both from 1, of an offset in the file's own bytes."""
    before = source.raw[source.bom : offset].decode(source.coding, "ignore").encode()
    line = _last(index for index, start in enumerate(source.starts) if start <= len(before))
    return line + 1, len(before[source.starts[line] :].decode()) + 1


def _last(numbers: Iterable[int]) -> int:
    return max(numbers, default=0)
