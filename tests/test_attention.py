"""The reference of the attention exercise: figures, other implementations, and properties that must hold."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from grader import cost
from grader.course import Course
from grader.load import load_file
from tests.conftest import ROOT

COURSE = Course(ROOT)
EXERCISE = COURSE.find("attention")
attention = load_file(COURSE.reference(EXERCISE), "reference_attention")
PROGRAMS = [COURSE.solution(EXERCISE), *COURSE.accepted(EXERCISE)]

SIZES = st.integers(1, 6)
SEEDS = st.integers(0, 10**6)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def close(got, want, tolerance=1e-12):
    torch.testing.assert_close(got, want, rtol=tolerance, atol=tolerance)


# --- figures ------------------------------------------------------------------------------------


def test_softmax_of_five_logits():
    logits = torch.tensor([0.1, -0.2, -0.3, 0.2, 0.5], dtype=torch.float64)
    want = torch.tensor([0.1997, 0.1479, 0.1338, 0.2207, 0.2979], dtype=torch.float64)
    close(attention.softmax(logits), want, 5e-5)
    sharp = torch.tensor([1.7128e-02, 8.5274e-04, 3.1371e-04, 4.6558e-02, 9.3515e-01], dtype=torch.float64)
    torch.testing.assert_close(attention.softmax(10 * logits), sharp, rtol=5e-5, atol=0)


def test_the_worked_example_of_the_task():
    query = torch.tensor([[1.0, 0, 1, 0], [0, 2, 0, 0]])
    key = torch.tensor([[1.0, 1, 1, 1], [2, 0, 0, 0], [0, 1, 0, 1]])
    value = torch.tensor([[1.0, 0], [0, 2], [4, 4]])
    close(attention.attention(query, key, value), torch.tensor([[1.0438, 1.4661], [2.1116, 2.0]]), 1e-4)
    causal = attention.attention(query, key, value, causal=True)
    close(causal, torch.tensor([[0.5, 1.0], [2.1116, 2.0]]), 1e-4)
    assert attention.sliding_window_mask(3, 5, 2).nonzero()[:, 1].tolist() == [1, 2, 2, 3, 3, 4]
    turned = attention.rope(torch.tensor([[1.0, 0, 1, 0]]), torch.tensor([1]))
    close(turned, torch.tensor([[0.5403, 0.8415, 0.9999, 0.0100]]), 1e-4)
    row = attention.sinusoidal_positions(2, 5)[1]
    close(row, torch.tensor([0.8415, 0.5403, 0.0251, 0.9997, 0.0006]), 1e-4)


def test_scores_of_unit_vectors_have_variance_one_after_scaling():
    d = 64
    products = (normal(40000, d, seed=1) * normal(40000, d, seed=2)).sum(-1)
    assert products.var().item() == pytest.approx(d, rel=0.05)
    # a score of the task: what softmax sees, read back from the weights of two keys, one of them zero
    query, key = normal(5000, 1, d, seed=3), normal(5000, 1, d, seed=4)
    pair = torch.cat([key, torch.zeros_like(key)], 1)
    weights = attention.attention(query, pair, torch.eye(2, dtype=torch.float64).expand(5000, 2, 2))[:, 0]
    assert (weights[:, 0] / weights[:, 1]).log().var().item() == pytest.approx(1.0, rel=0.1)


def products_of(module, x):
    """Return how many multiplications and additions the matrix products of a module take."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        module(x)
    return counter.get_total_flops()


def test_a_head_has_five_matrix_products_and_several_heads_have_six():
    batch, length, d_model, head_dim = 2, 5, 12, 3
    x = torch.randn(batch, length, d_model)
    projections = 3 * 2 * batch * length * d_model * head_dim
    two = 2 * 2 * batch * length * length * head_dim
    assert products_of(attention.Head(d_model, head_dim), x) == projections + two
    heads = d_model // head_dim
    with_output = 4 * 2 * batch * length * d_model * d_model + heads * two
    assert products_of(attention.MultiHeadAttention(d_model, heads), x) == with_output


# --- other implementations ----------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(shape=st.lists(SIZES, min_size=1, max_size=4), seed=SEEDS, data=st.data())
def test_softmax_is_that_of_torch(shape, seed, data):
    x = normal(*shape, seed=seed) * 10
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    close(attention.softmax(x, dim), torch.softmax(x, dim))
    close(attention.softmax(x + 1000, dim), attention.softmax(x, dim), 1e-9)


@settings(max_examples=30, deadline=None)
@given(lead=st.lists(SIZES, max_size=3), tq=SIZES, tk=SIZES, d=SIZES, dv=SIZES, seed=SEEDS)
def test_attention_is_that_of_torch(lead, tq, tk, d, dv, seed):
    query, key, value = normal(*lead, tq, d, seed=seed), normal(*lead, tk, d, seed=seed + 1), normal(*lead, tk, dv)
    mask = normal(*lead, tq, tk, seed=seed + 2) > -0.5
    mask[..., 0] = True  # torch gives NaN where nothing is allowed
    want = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    close(attention.attention(query, key, value, mask), want)
    want = functional.scaled_dot_product_attention(query, key, value)
    close(attention.attention(query, key, value), want)
    if tq <= tk:
        causal = torch.ones(tq, tk, dtype=torch.bool).tril(tk - tq)
        want = functional.scaled_dot_product_attention(query, key, value, attn_mask=causal)
        close(attention.attention(query, key, value, causal=True), want)


@settings(max_examples=20, deadline=None)
@given(groups=st.integers(1, 3), kv=st.integers(1, 3), tq=SIZES, seed=SEEDS)
def test_grouped_queries_are_those_of_torch(groups, kv, tq, seed):
    query, key, value = (normal(2, n, t, 4, seed=seed + t) for n, t in ((groups * kv, tq), (kv, 7), (kv, 7)))
    want = functional.scaled_dot_product_attention(query, key, value, enable_gqa=True)
    close(attention.grouped_query_attention(query, key, value), want)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("padded", [True, False])
def test_multi_head_attention_is_that_of_torch(causal, padded):
    batch, length, d_model, heads = 3, 5, 12, 4
    theirs = nn.MultiheadAttention(d_model, heads, bias=False, batch_first=True).double()
    ours = attention.MultiHeadAttention(d_model, heads).double()
    for name, weight in zip(("query", "key", "value"), theirs.in_proj_weight.chunk(3), strict=True):
        getattr(ours, name).weight.data.copy_(weight)
    ours.out.weight.data.copy_(theirs.out_proj.weight)
    x = normal(batch, length, d_model)
    real = torch.ones(batch, length, dtype=torch.bool)
    if padded:
        real[0, 3:] = real[1, 4:] = False
    hidden = ~torch.ones(length, length, dtype=torch.bool).tril() if causal else None
    want, _ = theirs(x, x, x, attn_mask=hidden, key_padding_mask=~real, need_weights=False)
    close(ours(x, causal=causal, key_mask=real if padded else None), want)
    if causal and not padded:
        close(ours(x), want)


@settings(max_examples=20, deadline=None)
@given(length=SIZES, pairs=SIZES, seed=SEEDS)
def test_rope_is_a_multiplication_of_complex_numbers(length, pairs, seed):
    x, positions = normal(2, length, 2 * pairs, seed=seed), torch.arange(length) * 3 - 4
    rates = 10000.0 ** (-torch.arange(pairs, dtype=torch.float64) / pairs)
    angles = positions.double()[:, None] * rates
    turned = torch.view_as_complex(x.reshape(2, length, pairs, 2)) * torch.polar(torch.ones_like(angles), angles)
    close(attention.rope(x, positions), torch.view_as_real(turned).flatten(-2))


# --- properties ---------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(m=st.integers(-20, 20), n=st.integers(-20, 20), shift=st.integers(-50, 50), seed=SEEDS)
def test_rope_scores_depend_on_the_difference_of_positions(m, n, shift, seed):
    query, key = normal(1, 8, seed=seed), normal(1, 8, seed=seed + 1)

    def score(a, b):
        return (attention.rope(query, torch.tensor([a])) * attention.rope(key, torch.tensor([b]))).sum()

    close(score(m + shift, n + shift), score(m, n), 1e-9)
    close(attention.rope(query, torch.tensor([m])).norm(), query.norm(), 1e-9)


def test_sinusoids_of_a_pair_turn_by_the_same_angle_with_each_position():
    table = attention.sinusoidal_positions(30, 8).double()
    points = torch.complex(table[:, 1::2], table[:, 0::2])
    rates = 10000.0 ** (-torch.arange(4, dtype=torch.float64) / 4)
    close((points[1:] / points[:-1]).angle(), rates.expand(29, 4), 1e-5)
    assert attention.sinusoidal_positions(3, 5).shape == (3, 5)


@settings(max_examples=40, deadline=None)
@given(tq=SIZES, tk=SIZES, window=st.integers(1, 9))
def test_a_query_sees_the_last_keys_up_to_its_own(tq, tk, window):
    mask = attention.sliding_window_mask(tq, tk, window)
    causal = attention.causal_mask(tq, tk)
    for i in range(tq):
        own = i + tk - tq
        assert causal[i].nonzero().flatten().tolist() == list(range(max(0, own + 1)))
        assert mask[i].nonzero().flatten().tolist() == list(range(max(0, own + 1)))[-window:]


@settings(max_examples=40, deadline=None)
@given(tq=SIZES, tk=SIZES, block=st.integers(1, 8), causal=st.booleans(), seed=SEEDS)
def test_online_attention_is_attention_for_every_block_size(tq, tk, block, causal, seed):
    query, key, value = normal(2, tq, 3, seed=seed), normal(2, tk, 3, seed=seed + 1), normal(2, tk, 4, seed=seed + 2)
    want = attention.attention(query, key, value, causal=causal)
    close(attention.online_attention(query, key, value, block, causal), want)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_memory_of_online_attention_is_below_the_matrix_of_scores(path):
    program = load_file(path, f"attention_{path.stem}")
    query = torch.randn(1, 128, 2)
    peak = cost.tensors(lambda: program.online_attention(query, query, query, 8, causal=True))["peak"]
    assert peak < 128 * 128 * 4


def test_a_query_without_a_key_gives_zeros_and_no_nan_in_gradients():
    leaves = [normal(2, 3, 4, seed=seed).requires_grad_() for seed in range(3)]
    real = torch.tensor([[False, False, False], [True, True, False]])
    result = attention.attention(*leaves, causal=True, key_mask=real)
    assert result[0].eq(0).all()
    assert result[1].ne(0).all()
    result.sum().backward()
    for leaf in leaves:
        assert leaf.grad.isfinite().all()
        assert leaf.grad[0].eq(0).all()
    assert leaves[2].grad[1, 2].eq(0).all()  # padding gets no gradient


def test_a_token_changes_no_result_before_it():
    layer = attention.MultiHeadAttention(8, 4, 2).double()
    x = normal(1, 6, 8)
    for place in range(6):
        changed = x.clone()
        changed[:, place] += 1
        same = (layer(changed) - layer(x)).abs().amax(-1)[0] < 1e-12
        assert same.tolist() == [n < place for n in range(6)]


def test_heads_come_back_as_they_were():
    x = normal(2, 5, 12)
    heads = attention.split_heads(x, 3)
    assert heads.shape == (2, 3, 5, 4)
    assert torch.equal(heads[:, 1], x[:, :, 4:8])
    assert torch.equal(attention.join_heads(heads), x)


@pytest.mark.parametrize(
    "call",
    [
        lambda: attention.split_heads(normal(1, 2, 5), 2),
        lambda: attention.MultiHeadAttention(10, 4),
        lambda: attention.MultiHeadAttention(12, 4, 3),
        lambda: attention.grouped_query_attention(normal(1, 4, 2, 3), normal(1, 3, 2, 3), normal(1, 3, 2, 3)),
        lambda: attention.rope(normal(2, 3), torch.arange(2)),
    ],
)
def test_sizes_that_do_not_fit_are_a_value_error(call):
    with pytest.raises(ValueError, match=r"multiple|odd"):
        call()


def test_dropout_keeps_the_mean_and_rests_in_evaluation():
    weights = torch.full((300, 400), 0.25)
    dropped = attention.attention_dropout(weights, 0.3, training=True)
    assert dropped.unique().tolist() == pytest.approx([0.0, 0.25 / 0.7])
    assert dropped.mean().item() == pytest.approx(0.25, rel=0.02)
    assert torch.equal(attention.attention_dropout(weights, 0.3, training=False), weights)
    assert attention.attention_dropout(weights, 1.0, training=True).eq(0).all()


def test_half_precision_is_as_good_as_its_rounding():
    query, key, value = (normal(2, 4, 8, seed=seed).half() for seed in range(3))
    query, key = query * 20, key + 20  # products above 65504 would overflow, scores near 3000 lose their digits
    want = attention.attention(query.double(), key.double(), value.double())
    got = attention.attention(query, key, value)
    assert got.dtype == torch.float16
    assert math.isclose((got.double() - want).abs().max().item(), 0, abs_tol=2e-3)
