"""The reference of the lora exercise against figures, algebra and public implementations."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course import Course
from grader.load import load_file
from tests.conftest import ROOT

torch = pytest.importorskip("torch")
nn = torch.nn

COURSE = Course(ROOT)
EXERCISE = COURSE.find("lora")
REFERENCE = load_file(COURSE.reference(EXERCISE), "lora_reference_tested")


@pytest.fixture(params=[COURSE.reference(EXERCISE), COURSE.solution(EXERCISE), *COURSE.accepted(EXERCISE)], ids=str)
def lora(request):
    return load_file(request.param, f"lora_{request.param.stem}")


def adapted(seed=0, sizes=(5, 3, 2), alpha=7.0, dropout=0.0):
    torch.manual_seed(seed)
    in_dim, out_dim, rank = sizes
    layer = REFERENCE.LinearWithLoRA(nn.Linear(in_dim, out_dim), rank, alpha, dropout).double()
    nn.init.normal_(layer.lora.B)
    return layer


def test_there_are_at_least_six_styles():
    assert len(COURSE.accepted(EXERCISE)) >= 6


def test_a_gpt2_small_has_the_counts_of_the_facts(lora):
    meta = {"device": "meta"}
    model = nn.Module()
    model.embeddings = nn.ModuleList([nn.Embedding(50257, 768, **meta), nn.Embedding(1024, 768, **meta)])
    sizes = [(768, 768)] * 4 + [(768, 3072), (3072, 768)]
    model.blocks = nn.ModuleList([nn.Linear(*pair, **meta) for _ in range(12) for pair in sizes])
    model.norms = nn.ModuleList([nn.LayerNorm(768, **meta) for _ in range(25)])
    model.head = nn.Linear(768, 2, **meta)
    assert lora.count_trainable(model) == 124_441_346
    lora.freeze(model)
    assert lora.count_trainable(model) == 0
    assert len(lora.replace_linear_with_lora(model, 16, 16)) == 73
    assert lora.count_trainable(model) == 2_666_528


def test_the_worked_examples_of_the_readme_hold(lora):
    linear = nn.Linear(2, 3, bias=False)
    linear.weight.data = torch.tensor([[1.0, 0], [0, 1], [1, 1]])
    layer = lora.LinearWithLoRA(linear, 1, 2)
    layer.lora.A.data = torch.tensor([[1.0], [3]])
    layer.lora.B.data = torch.tensor([[2.0, 0, -1]])
    x, y = torch.tensor([1.0, 2]), torch.tensor([29.0, 2, -11])
    torch.testing.assert_close(layer(x), y)
    layer.merge()
    torch.testing.assert_close(linear.weight.data, torch.tensor([[5.0, 12], [0, 1], [-1, -5]]))
    torch.testing.assert_close(layer(x), y)
    row = torch.tensor([[2.54, -1, 0.06]])
    assert lora.quantize_int8(row)[0].tolist() == [[127, -50, 3]]
    assert lora.quantize_int8(row, 1.27)[0].tolist() == [[127, -100, 6]]
    direction = lora.dora_weight(
        torch.tensor([[3.0, 4]]), torch.zeros(2, 1), torch.zeros(1, 1), 1.0, torch.tensor([10.0])
    )
    torch.testing.assert_close(direction, torch.tensor([[6.0, 8]]))


def test_an_adapter_holds_rank_times_both_sizes():
    for sizes in ((3, 5, 2), (768, 2, 16), (1, 1, 4)):
        found = sum(parameter.numel() for parameter in REFERENCE.LoRALayer(*sizes, 1).parameters())
        assert found == REFERENCE.adapter_size(*sizes) == sizes[2] * (sizes[0] + sizes[1])


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.tuples(*[st.integers(1, 7)] * 3),
    alpha=st.sampled_from([0.5, 1, 3, 16]),
    seed=st.integers(0, 99),
)
def test_merging_keeps_the_result_and_unmerging_the_weight(sizes, alpha, seed):
    layer = adapted(seed, sizes, alpha)
    x, before = torch.randn(4, sizes[0], dtype=torch.float64), layer.linear.weight.clone()
    expected = layer(x)
    layer.merge()
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(
        layer.linear.weight - before, alpha / sizes[2] * (layer.lora.A @ layer.lora.B).T.detach()
    )
    layer.unmerge()
    torch.testing.assert_close(layer.linear.weight, before)
    torch.testing.assert_close(layer(x), expected)


def test_the_update_has_no_more_than_its_rank():
    layer = adapted(sizes=(9, 8, 3))
    before = layer.linear.weight.clone()
    layer.merge()
    assert torch.linalg.matrix_rank(layer.linear.weight - before) == 3


def test_gradients_agree_with_finite_differences():
    layer = adapted()
    x = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)

    def run(x, a, b):
        return torch.func.functional_call(layer, {"lora.A": a, "lora.B": b}, (x,))

    assert torch.autograd.gradcheck(run, (x, layer.lora.A, layer.lora.B))


def test_at_the_start_only_b_has_a_gradient():
    layer = REFERENCE.LinearWithLoRA(nn.Linear(4, 3), 2, 1)
    layer(torch.randn(5, 4)).square().sum().backward()
    assert layer.linear.weight.grad is None
    assert not layer.lora.A.grad.any()
    assert layer.lora.B.grad.any()


def test_dropout_is_right_on_average():
    torch.manual_seed(1)
    layer = adapted(dropout=0.3).train()
    x = torch.randn(5, dtype=torch.float64)
    mean = layer(x.expand(40_000, 5)).mean(0)
    torch.testing.assert_close(mean, layer.eval()(x), atol=0.15, rtol=0)


def test_the_layer_agrees_with_peft():
    peft = pytest.importorskip("peft", reason="peft is not installed")
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(5, 3))
    ours = nn.Sequential(nn.Linear(5, 3))
    ours.load_state_dict(model.state_dict())
    config = peft.LoraConfig(r=2, lora_alpha=7, target_modules=["0"], lora_dropout=0.0)
    theirs = peft.get_peft_model(model, config)
    inner = theirs.base_model.model[0]
    REFERENCE.replace_linear_with_lora(ours, 2, 7)
    ours[0].lora.B.data.normal_()
    inner.lora_A["default"].weight.data.copy_(ours[0].lora.A.T)
    inner.lora_B["default"].weight.data.copy_(ours[0].lora.B.T)
    x = torch.randn(4, 5)
    torch.testing.assert_close(ours(x), theirs(x))


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 6), columns=st.integers(1, 9), seed=st.integers(0, 999))
def test_int8_is_within_half_a_step(rows, columns, seed):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    weight *= 10.0 ** torch.randint(-6, 6, (rows, 1), generator=generator)
    quantized, scales = REFERENCE.quantize_int8(weight)
    error = (REFERENCE.dequantize(quantized, scales) - weight).abs()
    assert (error <= scales[:, None] * 0.5 * (1 + 1e-9)).all()
    assert (quantized.abs().amax(1) == 127).all()


def test_int8_agrees_with_the_quantization_of_torch():
    weight = torch.randn(4, 6)
    quantized, scales = REFERENCE.quantize_int8(weight)
    zeros = torch.zeros(4, dtype=torch.int32)
    theirs = torch.fake_quantize_per_channel_affine(weight, scales, zeros, 0, -127, 127)
    torch.testing.assert_close(REFERENCE.dequantize(quantized, scales), theirs)


def test_dora_agrees_with_weight_norm_of_torch():
    torch.manual_seed(3)
    weight, a, b, magnitude = torch.randn(3, 5), torch.randn(5, 2), torch.randn(2, 3), torch.rand(3) + 0.5
    expected = torch._weight_norm(weight + 1.5 * (a @ b).T, magnitude[:, None], 0)
    torch.testing.assert_close(REFERENCE.dora_weight(weight, a, b, 1.5, magnitude), expected)
    fresh = REFERENCE.dora_weight(weight, a, 0 * b, 1.5, weight.norm(dim=1))
    torch.testing.assert_close(fresh, weight)


def test_groups_of_lora_plus_fit_an_optimizer():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    REFERENCE.replace_linear_with_lora(model, 2, 4, ["0"])
    optimizer = torch.optim.SGD(REFERENCE.lora_plus_groups(model, 0.5), lr=0.1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 8.0]
    listed = [id(one) for group in optimizer.param_groups for one in group["params"]]
    assert sorted(listed) == sorted(id(one) for one in model.parameters() if one.requires_grad)


def test_a_state_goes_through_a_file(tmp_path):
    def fresh():
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        REFERENCE.replace_linear_with_lora(model, 2, 4)
        return model

    torch.manual_seed(4)
    source, target = fresh(), fresh()
    nn.init.normal_(source[2].lora.B)
    torch.save(REFERENCE.adapter_state_dict(source), tmp_path / "adapters.pt")
    REFERENCE.load_adapters(target, torch.load(tmp_path / "adapters.pt"))
    for name in ("0.lora.A", "2.lora.B"):
        assert torch.equal(source.get_parameter(name), target.get_parameter(name))
    assert not torch.equal(source[0].linear.weight, target[0].linear.weight)
