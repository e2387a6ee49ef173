"""The reference of cross_entropy: the figures of the task, PyTorch's own functions, and what must hold for any input."""

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course import Course
from grader.load import load_file
from tests.conftest import ROOT

COURSE = Course(ROOT)
ce = load_file(COURSE.reference(COURSE.find("cross_entropy")), "reference_of_cross_entropy")

ROW = [2.0, 1.0, 0.0]


def near(got, expected, places=4):
    """Compare with figures that are printed with this many digits."""
    torch.testing.assert_close(
        torch.as_tensor(got, dtype=torch.float64), torch.tensor(expected).double(), rtol=0, atol=0.6 * 10**-places
    )


def random_case(seed, shape, ignore_index=-100, ignored=0.3):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(shape, generator=generator, dtype=torch.float64)
    targets = torch.randint(shape[-1], shape[:-1], generator=generator)
    dropped = torch.rand(shape[:-1], generator=generator) < ignored
    return logits, targets.masked_fill(dropped, ignore_index)


cases = st.builds(
    random_case,
    st.integers(0, 10**6),
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.sampled_from([-100, -1, 0, 99]),
    st.sampled_from([0.0, 0.3]),
)
smoothings = st.sampled_from([0.0, 0.1, 0.7, 1.0])
quick = settings(max_examples=40, deadline=None, database=None)


def flat(logits, targets):
    """Bring a case into the order of axes that PyTorch wants."""
    return logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)


# --- figures ------------------------------------------------------------------------------------------


def test_the_loss_of_the_facts_is_1_4411_nats():
    logits = torch.tensor([0.0465, 0.2514, -0.6639, -0.5434, -0.0025])
    near(ce.cross_entropy(logits, torch.tensor(0)), 1.4411)


def test_the_worked_example_of_the_task_holds():
    logits, targets = torch.tensor([ROW, ROW, [5.0, 5.0, 5.0]]), torch.tensor([0, 2, -100])
    near(ce.log_softmax(logits[0]), [-0.4076, -1.4076, -2.4076])
    near(ce.cross_entropy(logits, targets, "none"), [0.4076, 2.4076, 0.0])
    near(ce.cross_entropy(logits, targets, "sum"), 2.8152)
    near(ce.cross_entropy(logits, targets), 1.4076)
    near(ce.cross_entropy(logits[0], targets[0], label_smoothing=0.1), 0.5076)
    gradient = ce.cross_entropy_gradient(logits, targets)
    near(gradient[0], [-0.1674, 0.1224, 0.0450])
    assert not gradient[2].any()
    assert ce.next_token_targets(torch.tensor([5, 8, 6, 0, 0]), 0).tolist() == [8, 6, -100, -100, -100]
    rest = [0, 2]
    losses = ce.micro_batch_losses([(logits[rest], targets[rest]), (logits[1:2], targets[1:2])])
    near(torch.stack(losses), [0.2038, 1.2038])
    near(ce.perplexity([(2.0, 4), (9.0, 1)]), 9.0250)
    near(ce.bits_per_byte(100.0, "naïve"), 24.0449)


def test_an_unlikely_target_costs_its_distance():
    assert ce.cross_entropy(torch.tensor([1000.0, 0.0]), torch.tensor(1)).item() == 1000.0


def test_a_fair_coin_is_one_bit_and_perplexity_two():
    nats = ce.cross_entropy(torch.zeros(2, dtype=torch.float64), torch.tensor(1)).item()
    assert math.isclose(ce.bits_per_token(nats), 1.0)
    assert math.isclose(ce.perplexity([(nats, 1)]), 2.0)


# --- against PyTorch ----------------------------------------------------------------------------------


@quick
@given(case=cases, axis=st.integers(-3, 3))
def test_log_softmax_agrees_with_torch_along_any_axis(case, axis):
    logits = case[0]
    axis = axis % logits.dim() - (logits.dim() if axis < 0 else 0)
    torch.testing.assert_close(ce.log_softmax(logits, axis), torch.log_softmax(logits, axis))


@quick
@given(case=cases, e=smoothings, ignore_index=st.sampled_from([-100, -1, 0, 99]))
def test_sum_and_none_agree_with_torch(case, e, ignore_index):
    logits, targets = case
    # what torch cannot index is ignored by it and by us
    targets = targets.masked_fill((targets < 0) | (targets >= logits.shape[-1]), ignore_index)
    options = {"ignore_index": ignore_index, "label_smoothing": e}
    for reduction in ("none", "sum"):
        expected = F.cross_entropy(*flat(logits, targets), reduction=reduction, **options)
        got = ce.cross_entropy(logits, targets, reduction, **options)
        assert got.shape == (targets.shape if reduction == "none" else ())
        torch.testing.assert_close(got.reshape(expected.shape), expected)


@quick
@given(case=cases, e=smoothings)
def test_the_mean_and_both_gradients_agree_with_torch_where_something_is_scored(case, e):
    logits, targets = case
    targets = targets.masked_fill((targets < 0) | (targets >= logits.shape[-1]), -100)
    if (targets == -100).all():
        return
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss = ce.cross_entropy(ours, targets, label_smoothing=e)
    expected = F.cross_entropy(*flat(theirs, targets), label_smoothing=e)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    torch.testing.assert_close(ce.cross_entropy_gradient(logits, targets, label_smoothing=e), theirs.grad)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_float32_rounded_once(dtype):
    logits = (20 * torch.randn(50, 7, generator=torch.Generator().manual_seed(3))).to(dtype)
    targets = torch.arange(50) % 7
    got = ce.cross_entropy(logits, targets, "none")
    torch.testing.assert_close(got, F.cross_entropy(logits.float(), targets, reduction="none").to(dtype))
    assert ce.log_softmax(logits).dtype == dtype


def test_a_mean_of_float16_does_not_overflow_on_the_way():
    logits = torch.tensor([[0.0, 1000.0]] * 300, dtype=torch.float16)
    assert ce.cross_entropy(logits, torch.zeros(300, dtype=torch.int64)).item() == 1000.0


# --- what the task says beyond PyTorch ----------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (0, 4)])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_nothing_scored_is_zero_with_a_gradient_of_zeros(shape, reduction):
    logits = torch.randn(shape, requires_grad=True)
    loss = ce.cross_entropy(logits, torch.full(shape[:-1], -100), reduction)
    loss.backward()
    assert loss.item() == 0.0
    assert not logits.grad.any()
    assert not ce.cross_entropy_gradient(logits.detach(), torch.full(shape[:-1], -100)).any()


def test_what_ignored_rows_hold_does_not_matter():
    logits = torch.tensor([ROW, [math.nan, 1.0, 2.0], [math.inf, 0.0, math.inf]])
    targets = torch.tensor([0, -1, -1])
    assert ce.cross_entropy(logits, targets, ignore_index=-1).item() == ce.cross_entropy(logits[0], targets[0]).item()
    assert ce.cross_entropy(logits, targets, "none", -1)[1:].tolist() == [0.0, 0.0]


def test_a_masked_class_has_no_probability_and_makes_no_nan():
    logits = torch.tensor([1.0, -math.inf, 2.0], requires_grad=True)
    found = ce.log_softmax(logits)
    assert found[1].item() == -math.inf
    torch.testing.assert_close(found[[0, 2]], torch.log_softmax(torch.tensor([1.0, 2.0]), 0))
    ce.cross_entropy(logits, torch.tensor(0)).backward()
    assert logits.grad[1].item() == 0.0
    assert ce.cross_entropy(logits, torch.tensor(1)).item() == math.inf


@pytest.mark.parametrize("reduction", ["average", "", "Mean"])
def test_an_unknown_reduction_is_an_error_even_if_nothing_is_scored(reduction):
    with pytest.raises(ValueError, match="reduction"):
        ce.cross_entropy(torch.zeros(2, 3), torch.tensor([-100, -100]), reduction)


@quick
@given(case=cases)
def test_a_closed_form_row_sums_to_zero(case):
    logits, targets = case
    targets = targets.masked_fill(targets >= logits.shape[-1], -100)
    targets = targets.masked_fill(targets < 0, -100)
    rows = ce.cross_entropy_gradient(logits, targets, label_smoothing=0.2).sum(-1)
    torch.testing.assert_close(rows, torch.zeros_like(rows))


# --- next token, micro-batches, figures ---------------------------------------------------------------


@quick
@given(seed=st.integers(0, 10**6), length=st.integers(1, 7), pad=st.sampled_from([None, 0, 3]))
def test_the_next_token_loss_is_that_of_shifted_slices(seed, length, pad):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, (3, length), generator=generator)
    logits = torch.randn(3, length, 5, generator=generator, dtype=torch.float64)
    after = ids[:, 1:].reshape(-1)
    kept = after != (-1 if pad is None else pad)
    expected = F.cross_entropy(logits[:, :-1].reshape(-1, 5)[kept], after[kept], reduction="sum") / max(1, kept.sum())
    torch.testing.assert_close(ce.next_token_loss(logits, ids, pad), expected)


def test_padding_on_the_left_is_read_but_not_predicted():
    assert ce.next_token_targets(torch.tensor([[9, 9, 5, 8]]), 9, -1).tolist() == [[-1, 5, 8, -1]]
    assert ce.next_token_targets(torch.tensor([4])).tolist() == [-100]


@quick
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(0, 12), max_size=3), e=smoothings)
def test_micro_batches_add_up_to_the_whole_and_so_do_their_gradients(seed, cuts, e):
    logits, targets = random_case(seed, [12, 5], -100, 0.4)
    whole, parts = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss = ce.cross_entropy(whole, targets, label_smoothing=e)
    loss.backward()
    bounds = [0, *sorted(cuts), 12]
    pieces = [(parts[a:b], targets[a:b]) for a, b in pairwise(bounds)]
    losses = ce.micro_batch_losses(pieces, label_smoothing=e)
    assert len(losses) == len(pieces)
    for part in losses:
        part.backward()
    torch.testing.assert_close(torch.stack(losses).sum(), loss)
    torch.testing.assert_close(parts.grad, whole.grad)


@given(batches=st.lists(st.tuples(st.floats(0, 50), st.integers(1, 9)), min_size=1))
@quick
def test_perplexity_is_that_of_one_large_batch(batches):
    together = (sum(nats for nats, _ in batches), sum(tokens for _, tokens in batches))
    assert math.isclose(ce.perplexity(batches), ce.perplexity([together]), rel_tol=1e-9)
    assert math.isclose(ce.perplexity(batches), 2 ** ce.bits_per_token(together[0] / together[1]), rel_tol=1e-9)


def test_perplexity_at_its_limits():
    assert ce.perplexity([(1e6, 1)]) == math.inf
    assert ce.perplexity([(0.0, 0), (0.0, 3)]) == 1.0
    for nothing in ([], [(0.0, 0)]):
        with pytest.raises(ValueError, match="tokens"):
            ce.perplexity(nothing)


def test_bits_per_byte_counts_bytes_of_utf_8():
    assert math.isclose(ce.bits_per_byte(4 * math.log(2), "😀"), 1.0)
    with pytest.raises(ValueError, match="empty"):
        ce.bits_per_byte(1.0, "")
