"""One contract for both oracles: the live reference, and the bank that was recorded from it."""

import pytest

from grader.array import numbers
from grader.bank import Bank, key_of
from grader.case import Array, Case, Measured
from grader.draw import draw
from grader.errors import FaultError
from grader.oracle import load_checks, reference_of
from grader.wire import TRUSTED, digest, pack


@pytest.fixture(scope="module", params=["bpe", "norms"])
def exercise(request, course):
    return course.find(request.param)


@pytest.fixture(scope="module")
def checks(course, exercise):
    return load_checks(course.checks(exercise), exercise.slug)


@pytest.fixture(scope="module")
def reference(course, exercise):
    return reference_of(course.checks(exercise), course.reference(exercise), exercise.slug, 0)


@pytest.fixture(scope="module")
def bank(reference, checks, tmp_path_factory):
    path = tmp_path_factory.mktemp("bank") / "bank"
    Bank.record(reference, [check.name for check in checks]).save(path, "key")
    return Bank.open(path, "key")


@pytest.fixture(params=["reference", "bank"])
def oracle(request):
    return request.getfixturevalue(request.param)


def test_the_cases_of_a_check_are_always_the_same(oracle, checks):
    for check in checks:
        assert [pack(case.inputs, TRUSTED) for case in oracle.cases(check.name)] == [
            pack(case.inputs, TRUSTED) for case in oracle.cases(check.name)
        ]


def test_cases_come_smallest_first_and_none_twice(oracle, checks):
    for check in checks:
        frames = [pack(case.inputs, TRUSTED) for case in oracle.cases(check.name)]
        assert frames
        assert [len(frame) for frame in frames] == sorted(map(len, frames))
        assert len(set(frames)) == len(frames)


def test_an_answer_is_a_value_with_the_digest_of_its_inputs(oracle, checks):
    for check in checks:
        for case in oracle.cases(check.name)[:4]:
            answer = oracle.answer(check.name, case)
            assert answer.kind == "value"
            assert answer.touched == digest(case.inputs)


def test_an_equal_case_has_the_same_answer(oracle, checks):
    for check in checks:
        case = oracle.cases(check.name)[0]
        again = oracle.answer(check.name, Case(dict(case.inputs)))
        assert pack(again.value, TRUSTED) == pack(oracle.answer(check.name, case).value, TRUSTED)


def test_an_unknown_check_is_a_fault(oracle, checks):
    assert "nothing" not in {check.name for check in checks}
    with pytest.raises(FaultError, match="no check 'nothing'"):
        oracle.cases("nothing")
    with pytest.raises(FaultError, match="no check 'nothing'"):
        oracle.answer("nothing", Case({}))


def test_a_case_that_cannot_be_answered_is_a_fault(oracle, checks):
    with pytest.raises(FaultError):
        oracle.answer(checks[0].name, Case({"no such input": 1}))


def test_the_bank_says_what_the_reference_says(reference, bank, checks):
    for check in checks:
        for case, recorded in zip(reference.cases(check.name), bank.cases(check.name), strict=True):
            live, replayed = reference.answer(check.name, case), bank.answer(check.name, recorded)
            assert pack(live.value, TRUSTED) == pack(replayed.value, TRUSTED)
            assert pack(live.witness, TRUSTED) == pack(replayed.witness, TRUSTED)


# --- the bank's file --------------------------------------------------------------------------


def test_a_bank_with_another_key_or_a_damaged_one_is_not_used(bank, tmp_path):
    path = tmp_path / "bank"
    bank.save(path, "one")
    assert Bank.open(path, "two") is None
    assert Bank.open(tmp_path / "none", "one") is None
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:100], b"", whole[:50] + b"x" + whole[51:], b"LLMG"):
        path.write_bytes(damaged)
        assert Bank.open(path, "one") is None


def test_the_key_changes_with_every_file_and_the_seed(tmp_path):
    checks, reference = tmp_path / "checks.py", tmp_path / "reference.py"
    checks.write_text("1")
    reference.write_text("1")
    keys = {key_of([checks, reference], 0), key_of([checks, reference], 1)}
    reference.write_text("2")
    keys.add(key_of([checks, reference], 0))
    checks.write_text("2")
    keys.add(key_of([checks, reference], 0))
    assert len(keys) == 4
    reference.write_text("1")
    checks.write_text("1")
    assert key_of([checks, reference], 0) in keys


def test_a_bank_that_cannot_be_saved_is_no_error(bank, tmp_path):
    (tmp_path / "file").write_text("")
    bank.save(tmp_path / "file" / "bank", "key")


# --- drawing ----------------------------------------------------------------------------------


def test_another_seed_draws_other_cases_and_keeps_the_examples(checks):
    for check in checks:
        if check.cases is None:
            continue
        first, second = ({pack(case.inputs, TRUSTED) for case in draw(check, seed)} for seed in (0, 1))
        assert first != second
        examples = {pack(inputs, TRUSTED) for inputs in (check.examples or list)()}
        assert examples <= first & second


def test_drawing_leaves_no_folder_where_the_student_works(checks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw(next(check for check in checks if check.cases), 5)
    assert list(tmp_path.iterdir()) == []


# --- measured noise ---------------------------------------------------------------------------


def leaves(value):
    if isinstance(value, Measured):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)


def test_noise_is_small_beside_the_values_and_grows_with_the_roundoff(course):
    exercise = course.find("norms")
    reference = reference_of(course.checks(exercise), course.reference(exercise), "norms", 0)
    size = {}
    for name in ("layer_norm_normalizes_each_row", "layer_norm_survives_half_precision"):
        for case in reference.cases(name):
            if case.inputs["x"].shape == (4, 515):
                for leaf in leaves(reference.answer(name, case).value):
                    size[leaf.value.dtype] = numbers(leaf.noise).max()
                    assert (numbers(leaf.noise) > 0).mean() > 0.99
    assert 0 < size["float32"] < 1e-5 < size["float16"] < 0.1


def test_the_exact_answer_is_float64_whatever_is_tested(course):
    exercise = course.find("norms")
    reference = reference_of(course.checks(exercise), course.reference(exercise), "norms", 0)
    for case in reference.cases("rms_norm_survives_half_precision"):
        (leaf,) = leaves(reference.answer("rms_norm_survives_half_precision", case).value)
        assert isinstance(leaf.value, Array)
        assert leaf.value.dtype == case.inputs["x"].dtype
        assert leaf.exact.dtype == leaf.noise.dtype == "float64"
        assert leaf.exact.shape == leaf.noise.shape == leaf.value.shape
