"""The command as a user meets it: the real program in a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from grader.verdict import Result
from tests.conftest import ROOT, SLUGS, descendants

GRADER = [sys.executable, "-c", "from grader.entry import main; main()"]


def run(*arguments, cwd=ROOT, **environment):
    command = [sys.executable, "-c", "from grader.entry import main; main()", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "COLUMNS": "100", **environment},
    )


def check_json(result):
    """Return the result on standard output, which must be that and nothing else, and fit the schema."""
    data = json.loads(result.stdout)
    jsonschema.validate(data, json.loads((ROOT / "docs" / "result.schema.json").read_text()))
    return Result.model_validate(data)


def test_the_solutions_have_all_points():
    result = run("check", "--from", "solutions", "--json")
    assert result.returncode == 0
    found = check_json(result)
    assert found.score == found.points > 0
    assert [grade.exercise for grade in found.exercises] == SLUGS


def test_the_untouched_starters_are_not_started():
    result = run("check", "--json")
    assert result.returncode == 1
    found = check_json(result)
    assert found.score == 0
    assert {verdict.outcome for grade in found.exercises for verdict in grade.verdicts} == {"not started"}


def test_a_wrong_file_shows_the_case_the_place_the_values_and_the_mistake(tmp_path):
    source = (ROOT / "solutions" / "bpe.py").read_text()
    wrong = source.replace("counts[pair] += word_freqs[word]", "counts[pair] += 1")
    assert wrong != source
    (tmp_path / "bpe.py").write_text(wrong)
    result = run("check", "bpe", "--from", tmp_path)
    assert result.returncode == 1
    for words in (
        "failing case",
        "first wrong at",
        "got",
        "expected",
        "this equals",
        "word_frequency_ignored",
        "next:",
    ):
        assert words in result.stdout
    found = check_json(run("check", "bpe", "--from", tmp_path, "--json"))
    verdict = next(item for item in found.exercises[0].verdicts if item.check == "pairs_are_weighed_by_frequency")
    assert verdict.outcome == "failed"
    assert verdict.earned == 0
    assert [mistake.name for mistake in verdict.mistakes] == ["word_frequency_ignored"]
    assert verdict.evidence.place
    assert verdict.evidence.got
    assert verdict.evidence.expected


def test_a_wrong_tensor_shows_the_allowed_distance_and_the_mistake(tmp_path):
    source = (ROOT / "solutions" / "norms.py").read_text()
    wrong = source.replace(
        "variance = centred.square().mean(-1, keepdim=True)", "variance = wide.var(-1, keepdim=True)", 1
    )
    assert wrong != source
    (tmp_path / "norms.py").write_text(wrong)
    found = check_json(run("check", "norms", "--from", tmp_path, "--json"))
    verdict = found.exercises[0].verdicts[0]
    assert verdict.outcome == "failed"
    assert float(verdict.evidence.allowed) < 1e-4
    assert [mistake.name for mistake in verdict.mistakes] == ["unbiased_variance"]


def test_a_shortcut_is_refused(tmp_path):
    source = (ROOT / "solutions" / "norms.py").read_text()
    start, end = source.index("    wide = _wide(x)\n    centred"), source.index("def rms_norm")
    body = "    return torch.layer_norm(x, (x.shape[-1],), gain, bias, eps)\n\n\n"
    (tmp_path / "norms.py").write_text(source[:start] + body + source[end:])
    found = check_json(run("check", "norms", "--from", tmp_path, "--json"))
    verdicts = {verdict.check: verdict for verdict in found.exercises[0].verdicts}
    assert verdicts["layer_norm_normalizes_each_row"].outcome == "refused"
    assert "layer_norm" in verdicts["layer_norm_normalizes_each_row"].message
    assert verdicts["rms_norm_divides_by_root_mean_square"].outcome == "passed"


def test_an_import_of_a_tokenizer_library_is_refused(tmp_path):
    (tmp_path / "tokenizers.py").write_text("")
    source = (ROOT / "solutions" / "bpe.py").read_text()
    fake = "import sys, types\nsys.modules['tokenizers'] = types.ModuleType('tokenizers')\nimport tokenizers\n"
    (tmp_path / "bpe.py").write_text(source.replace("import re\n", fake + "import re\n"))
    found = check_json(run("check", "bpe", "--from", tmp_path, "--json"))
    assert {verdict.outcome for verdict in found.exercises[0].verdicts} == {"refused"}


@pytest.mark.parametrize("layout", ["bpe.py", "02_bpe/bpe.py"])
def test_a_students_own_folder_may_be_flat_or_numbered(tmp_path, layout):
    (tmp_path / layout).parent.mkdir(exist_ok=True)
    shutil.copy(ROOT / "solutions" / "bpe.py", tmp_path / layout)
    result = run("check", "bpe", "--from", tmp_path, "--json")
    assert result.returncode == 0
    assert check_json(result).exercises[0].file == str(tmp_path / layout)


def test_a_single_file_is_taken_for_the_exercise_of_its_name():
    result = run("check", "--from", "solutions/bpe.py", "--json")
    assert result.returncode == 0
    assert [grade.exercise for grade in check_json(result).exercises] == ["bpe"]


USAGE = {
    ("check", "bpee"): "there is no exercise 'bpee'; did you mean 'bpe'?",
    ("check", "zzz"): "there is no exercise 'zzz'; there are arithmetic, attention, bpe",
    ("check", "--from", "nowhere"): "--from nowhere: there is no such file or folder",
    ("check", "--from", "README.md"): "say which exercise this file is for",
    ("check", "bpe", "--from", "solutions/norms.py"): "the file of another exercise than bpe",
    ("check", "--device", "tpu"): "tpu",
    ("check", "--course", "docs"): "docs is no course",
    ("hint", "bpe", "nothing"): "has no hints for 'nothing'",
    ("new", "Not-A-Slug"): "is no slug",
    ("new", "bpe"): "is there already",
    ("nonsense",): "nonsense",
    ("audit", "--seeds", "0"): "seeds",
}


@pytest.mark.parametrize("arguments", USAGE)
def test_wrong_usage_is_a_sentence_and_exit_code_2(arguments):
    result = run(*arguments)
    assert result.returncode == 2
    assert USAGE[arguments] in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_nothing_to_grade_is_exit_code_4(tmp_path):
    result = run("check", "--from", tmp_path)
    assert result.returncode == 4
    assert "there is nothing to grade: looked for" in result.stderr


def test_a_fault_of_ours_is_exit_code_3_and_costs_no_one_a_word_of_blame(tiny, tmp_path):
    shutil.copytree(tiny.root, tmp_path / "course")
    (tmp_path / "course" / "reference" / "double.py").write_text("def double(x):\n    return 1 / 0\n")
    result = run("check", "--course", tmp_path / "course", "--from", tiny.root / "solutions")
    assert result.returncode == 3
    assert "the reference cannot answer a case" in result.stderr
    assert "Traceback" not in result.stderr
    assert (
        "Traceback"
        in run("--debug", "check", "--course", tmp_path / "course", "--from", tiny.root / "solutions").stderr
    )


def test_an_unexpected_error_is_ours_and_says_how_to_see_more(tiny, tmp_path):
    shutil.copytree(tiny.root, tmp_path / "course")
    (tmp_path / "course" / "exercises" / "01_double" / "checks.py").write_text("import nothing_like_it\n")
    result = run("list", "double", "--course", tmp_path / "course")
    assert result.returncode == 3
    assert "checks.py cannot be loaded" in result.stderr


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to see what the program does")
def test_an_interrupt_ends_with_130_and_leaves_no_process(tiny, tmp_path):
    (tmp_path / "double.py").write_text("while True: pass\n")
    shutil.copytree(tiny.root, tmp_path / "course")
    limits = tmp_path / "course" / "exercises" / "01_double" / "exercise.yaml"
    limits.write_text(limits.read_text().replace("load_seconds: 2", "load_seconds: 60"))
    command = [sys.executable, "-c", "from grader.entry import main; main()", "check"]
    command += ["--course", str(tmp_path / "course"), "--from", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not any(_ticks(pid) > 20 for pid in descendants(process.pid)):
        time.sleep(0.02)  # until the program has looped for a while
    below = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    assert below
    assert not [pid for pid in below if _ticks(pid) > 0], "the program still runs"


def _ticks(pid):
    """Return the processor time that a process has used, 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[11])


def test_list_shows_the_exercises_and_the_checks_of_one():
    assert "bpe" in run("list").stdout
    rows = json.loads(run("list", "--json").stdout)
    assert [row["slug"] for row in rows] == SLUGS
    checks = json.loads(run("list", "norms", "--json").stdout)
    (points,) = (row["points"] for row in rows if row["slug"] == "norms")
    assert sum(row["points"] for row in checks) == points


def test_an_audit_prints_strict_json_and_fails_if_anything_is_unproven(tiny):
    result = run("audit", "double", "--course", tiny.root, "--json")
    assert result.returncode == 1
    (found,) = json.loads(result.stdout, parse_constant=pytest.fail)
    assert found["exercise"] == "double"
    assert "exercise.yaml says 1 points, the checks sum up to 3" in found["problems"]
    assert found["killed_by"] == {"square_for_double": ["doubles_any_number"]}
    assert [margin["check"] for margin in found["margins"]] == []


def test_hints_come_in_three_levels():
    lines = [run("hint", "bpe", "merge_replaces", "--level", level).stdout.splitlines() for level in (1, 2, 3)]
    assert [sum(line[:4].strip(" .").isdigit() for line in found) for found in lines] == [1, 2, 3]


def test_doctor_says_what_each_finding_means():
    result = run("doctor", "--json")
    assert result.returncode == 0
    rows = {row["what"]: row for row in json.loads(result.stdout)}
    assert set(rows) == {
        "python",
        "torch",
        "cuda",
        "worker",
        "cache",
        "course",
        *(row for row in rows if row.startswith("fence ")),
    }
    assert all(row["meaning"] and row["ok"] is not False for row in rows.values())
    assert [row["ok"] for row in rows.values() if row["what"].startswith("fence ")][-1], "the last one tried works"


def test_auto_takes_the_cpu_and_says_so_where_there_is_no_gpu():
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU: the sentence for machines without one cannot be seen")
    result = run("check", "norms", "--from", "solutions", "--device", "auto")
    assert result.returncode == 0
    assert "graded on the CPU" in result.stdout
    for device in ("cuda", "all"):
        result = run("check", "norms", "--from", "solutions", "--device", device)
        assert result.returncode == 2
        assert "no CUDA device" in result.stderr


@pytest.mark.gpu
@pytest.mark.parametrize("device", ["cuda", "auto", "all"])
def test_the_solutions_have_all_points_on_the_gpu(device):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device: torch finds none")
    found = check_json(run("check", "norms", "--from", "solutions", "--device", device, "--json"))
    assert found.score == found.points
    assert {verdict.device for verdict in found.exercises[0].verdicts} <= {"cpu", "cuda"}


def test_colour_and_width_do_not_matter(tmp_path):
    (tmp_path / "bpe.py").write_text("def train(\n")
    for columns in ("40", "200"):
        result = run("check", "bpe", "--from", tmp_path, NO_COLOR="1", COLUMNS=columns)
        assert result.returncode == 1
        assert "\x1b" not in result.stdout
        assert "SyntaxError" in result.stdout


def test_the_same_submission_has_the_same_result_twice(tmp_path):
    source = (ROOT / "solutions" / "bpe.py").read_text().replace("range(161, 173)", "range(162, 173)")
    (tmp_path / "bpe.py").write_text(source)
    first, second = (run("check", "bpe", "--from", tmp_path, "--json", "--seed", "3").stdout for _ in range(2))
    assert first == second
