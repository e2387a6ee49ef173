"""The reference of the kv_cache exercise: the figures of the task, and attention without a cache."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course import Course
from grader.load import load_file
from tests.conftest import ROOT

COURSE = Course(ROOT)
EXERCISE = COURSE.find("kv_cache")
kv = load_file(COURSE.reference(EXERCISE), "kv_cache_under_test")
solution = load_file(COURSE.solution(EXERCISE), "kv_cache_solution_under_test")
starter = load_file(EXERCISE.folder / EXERCISE.filename, "kv_cache_starter_under_test")

HEADS = st.sampled_from([(4, 2, 6), (6, 2, 4), (6, 3, 2), (3, 1, 4), (2, 2, 4)])
quick = settings(max_examples=25, deadline=None)


def layer_of(heads, window=None, seed=0):
    torch.manual_seed(seed)
    num_heads, num_kv_heads, head_dim = heads
    return kv.CachedAttention(num_heads * head_dim, num_heads, num_kv_heads, window).double()


def without_cache(layer, heads, x):
    """Attention of a whole sequence with torch's own function and rotations of 2 x 2 matrices."""
    num_heads, num_kv_heads, head_dim = heads
    batch, length, _ = x.shape
    angles = torch.arange(length).double()[:, None] * 10000.0 ** (-torch.arange(0, head_dim, 2).double() / head_dim)
    turn = torch.stack([angles.cos(), -angles.sin(), angles.sin(), angles.cos()], -1).unflatten(-1, (2, 2))

    def cut(projection, count, rotated):
        y = projection(x).reshape(batch, length, count, head_dim).transpose(1, 2)
        return (turn @ y.unflatten(-1, (-1, 2)).unsqueeze(-1)).flatten(-3) if rotated else y

    query, key = cut(layer.query, num_heads, True), cut(layer.key, num_kv_heads, True)
    distance = torch.arange(length)[:, None] - torch.arange(length)
    mask = (distance >= 0) & (distance < (layer.window or length + 1))
    mixed = torch.nn.functional.scaled_dot_product_attention(
        query, key, cut(layer.value, num_kv_heads, False), attn_mask=mask, enable_gqa=True
    )
    return layer.out(mixed.transpose(1, 2).reshape(batch, length, -1))


def test_llama_2_takes_5_24_gigabytes_for_10000_tokens():
    assert kv.cache_bytes(32, 32, 128, 10_000, 2) == 5_242_880_000
    assert kv.cache_bytes(32, 8, 128, 10_000, 2) * 4 == 5_242_880_000


def test_the_formula_is_what_the_caches_take():
    taken = sum(kv.KVCache(3, 2, 5, 7, torch.float16).nbytes for _ in range(4))
    assert taken == kv.cache_bytes(4, 2, 5, 7, 2, batch=3)


def test_the_masks_of_the_task():
    assert kv.causal_mask(2, 5).int().tolist() == [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
    assert kv.causal_mask(2, 5, window=3).int().tolist() == [[0, 1, 1, 1, 0], [0, 0, 1, 1, 1]]


def tokens_of(*numbers):
    return torch.tensor(numbers, dtype=torch.float32).reshape(1, 1, -1, 1)


@pytest.mark.parametrize("program", [kv, solution], ids=["reference", "solution"])
def test_the_window_of_the_task(program):
    cache = program.WindowCache(1, 1, 1, 3)
    found = []
    for chunk in ([1, 2], [3], [4], [5, 6, 7, 8]):
        keys, values = cache.append(tokens_of(*chunk), -tokens_of(*chunk))
        assert torch.equal(values, -keys)
        found.append((keys.flatten().tolist(), cache.length))
    assert found == [([1, 2], 2), ([1, 2, 3], 3), ([2, 3, 4], 4), ([3, 4, 5, 6, 7, 8], 8)]
    assert sorted(cache.keys.flatten().tolist()) == [6, 7, 8]


@pytest.mark.parametrize("program", [kv, solution], ids=["reference", "solution"])
def test_the_ragged_rows_of_the_task(program):
    cache = program.RaggedCache(2, 1, 1, 4)
    first = torch.tensor([[1.0, 2.0], [7.0, float("nan")]]).reshape(2, 1, 2, 1)
    cache.append(first, first, [2, 1])
    second = torch.tensor([3.0, 8.0]).reshape(2, 1, 1, 1)
    keys, _ = cache.append(second, second, [1, 1])
    assert keys[:, 0, :, 0].tolist() == [[1, 2, 3], [7, 8, 0]]


@pytest.mark.parametrize("program", [kv, solution], ids=["reference", "solution"])
def test_the_tables_of_the_task(program):
    cache = program.PagedCache(6, 2, 1, 1)
    seen = []
    for sequence, count in ((0, 3), (1, 1), (0, 2), (1, 0), (0, 2)):
        if count:
            cache.append(sequence, torch.ones(1, count, 1), torch.ones(1, count, 1))
        else:
            cache.free(sequence)
        seen.append(({name: list(table) for name, table in cache.tables.items()}, dict(cache.lengths), cache.num_free))
    assert seen == [
        ({0: [0, 1]}, {0: 3}, 4),
        ({0: [0, 1], 1: [2]}, {0: 3, 1: 1}, 3),
        ({0: [0, 1, 3], 1: [2]}, {0: 5, 1: 1}, 2),
        ({0: [0, 1, 3]}, {0: 5}, 3),
        ({0: [0, 1, 3, 2]}, {0: 7}, 2),
    ]


@quick
@given(HEADS, st.integers(1, 2), st.lists(st.integers(1, 4), min_size=1, max_size=4), st.sampled_from([None, 1, 2, 3]))
def test_any_cut_gives_what_torch_gives_without_a_cache(heads, batch, cuts, window):
    layer = layer_of(heads, window)
    x = torch.randn(batch, sum(cuts), heads[0] * heads[2], dtype=torch.float64)
    cache = layer.new_cache(batch, sum(cuts))
    results = torch.cat([layer(chunk, cache) for chunk in x.split(cuts, dim=1)], dim=1)
    torch.testing.assert_close(results, without_cache(layer, heads, x))


@quick
@given(HEADS, st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=4))
def test_a_ragged_row_gets_what_it_gets_alone(heads, steps):
    layer = layer_of(heads)
    cache = kv.RaggedCache(3, heads[1], heads[2], sum(map(max, steps)) or 1, torch.float64)
    rows = [[torch.zeros(0, heads[0] * heads[2], dtype=torch.float64)] for _ in range(3)]
    found = [[] for _ in range(3)]
    for counts in steps:
        x = torch.full((3, max(1, *counts), heads[0] * heads[2]), float("nan"), dtype=torch.float64)
        for row, count in enumerate(counts):
            x[row, :count] = torch.randn(count, x.shape[2], dtype=torch.float64)
            rows[row].append(x[row, :count])
        result = layer.forward_ragged(x, cache, counts)
        for row, count in enumerate(counts):
            found[row].append(result[row, :count])
    for row in range(3):
        whole = torch.cat(rows[row])[None]
        if whole.shape[1]:
            torch.testing.assert_close(torch.cat(found[row])[None], without_cache(layer, heads, whole))


@quick
@given(
    st.integers(1, 6),
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 2, 3, 5])), max_size=12),
)
def test_pages_hold_what_lists_would_hold(num_blocks, block_size, actions):
    cache = kv.PagedCache(num_blocks, block_size, 2, 3)
    held: dict[int, list[torch.Tensor]] = {}
    for sequence, count in actions:
        need = {name: -(-len(tokens) // block_size) for name, tokens in held.items()}
        if count == 0:
            if sequence in held:
                cache.free(sequence)
                del held[sequence]
            else:
                with pytest.raises(KeyError):
                    cache.free(sequence)
            continue
        key = torch.randn(2, count, 3)
        after = need | {sequence: -(-(len(held.get(sequence, [])) + count) // block_size)}
        if sum(after.values()) > num_blocks:
            with pytest.raises(ValueError, match="block"):
                cache.append(sequence, key, -key)
        else:
            cache.append(sequence, key, -key)
            held.setdefault(sequence, []).extend(key.unbind(1))
    assert cache.num_free == num_blocks - sum(-(-len(tokens) // block_size) for tokens in held.values())
    assert set(cache.tables) == set(held)
    for sequence, tokens in held.items():
        keys, values = cache.gather(sequence)
        assert torch.equal(keys, torch.stack(tokens, dim=1))
        assert torch.equal(values, -keys)


def test_a_full_cache_refuses_and_goes_on():
    cache = kv.KVCache(1, 1, 1, 3)
    cache.append(tokens_of(1, 2), tokens_of(1, 2))
    with pytest.raises(ValueError, match="full"):
        cache.append(tokens_of(3, 4), tokens_of(3, 4))
    assert cache.append(tokens_of(5), tokens_of(6))[0].flatten().tolist() == [1, 2, 5]


def test_the_given_functions_agree_with_the_reference():
    torch.manual_seed(1)
    x, positions = torch.randn(2, 3, 5, 6, dtype=torch.float64), torch.tensor([[0, 1, 2, 3, 4], [7, 8, 9, 10, 11]])
    torch.testing.assert_close(starter.rope(x, positions), kv.rope(x, positions))
    torch.testing.assert_close(starter.rope(x, positions[1]), kv.rope(x, positions[1]))
    query, key, value = torch.randn(2, 6, 4, 8), torch.randn(2, 3, 5, 8), torch.randn(2, 3, 5, 8)
    mask = torch.rand(2, 4, 5) < 0.6
    mask[1, 2] = False
    torch.testing.assert_close(starter.attention(query, key, value, mask), kv.attention(query, key, value, mask))
    torch.testing.assert_close(starter.attention(query, key, value, mask[0]), kv.attention(query, key, value, mask[0]))
    assert not starter.attention(query, key, value, mask)[1, :, 2].any()


def test_the_given_attention_is_torchs_where_something_may_be_attended():
    torch.manual_seed(2)
    query, key, value = torch.randn(2, 6, 4, 8), torch.randn(2, 3, 5, 8), torch.randn(2, 3, 5, 8)
    mask = torch.ones(4, 5, dtype=torch.bool).tril(1)
    theirs = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, enable_gqa=True)
    torch.testing.assert_close(starter.attention(query, key, value, mask), theirs)


def test_a_rotated_product_depends_on_the_distance_alone():
    query, key = torch.randn(1, 1, 1, 8, dtype=torch.float64), torch.randn(1, 1, 1, 8, dtype=torch.float64)

    def product(first, second):
        return (kv.rope(query, torch.tensor([first])) * kv.rope(key, torch.tensor([second]))).sum()

    torch.testing.assert_close(product(3, 1), product(103, 101))
    assert not torch.isclose(product(3, 1), product(1, 3))


def test_generation_is_what_the_whole_text_would_give():
    heads = (4, 2, 4)
    layer = layer_of(heads, seed=3)
    table = torch.randn(9, 16, dtype=torch.float64)

    class Model:
        def new_cache(self, batch, max_len):
            return layer.new_cache(batch, max_len)

        def __call__(self, tokens, cache):
            return layer(table[tokens], cache) @ table.T

    prompt = torch.tensor([[1, 5, 2], [0, 0, 8]])
    text = prompt
    for _ in range(6):
        logits = without_cache(layer, heads, table[text]) @ table.T
        text = torch.cat([text, logits[:, -1:].argmax(-1)], dim=1)
    assert torch.equal(kv.generate(Model(), prompt, 6), text)
    assert torch.equal(kv.generate(Model(), prompt, 0), prompt)
