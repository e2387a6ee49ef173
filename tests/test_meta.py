"""On the meta device a program that reads values is let through, and one that moves tensors is not."""

import pytest

from grader.ready import ready
from grader.study import study

CHECK = "everything_stays_on_its_device"


@pytest.fixture(scope="module")
def norms(course):
    with ready(course, course.find("norms"), 0) as made:
        yield made


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("x.tolist()", "passed"),
        ("x.sum().item()", "passed"),
        ("x.numpy()", "passed"),
        ("x[x > 0]", "passed"),
        ("torch.unique(x)", "passed"),
        ("float(x.sum())", "passed"),
        ("x.cpu() + 1", "error"),
        ("x + torch.ones(x.shape)", "error"),
        ("x + torch.ones_like(x)", "passed"),
    ],
)
def test_what_asks_for_values_cannot_be_followed_and_what_leaves_the_device_is_wrong(norms, tmp_path, line, outcome):
    source = norms.course.solution(norms.exercise).read_text()
    head = "def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:\n"
    assert head in source
    path = tmp_path / "norms.py"
    path.write_text(
        source.replace(
            head,
            f"def rms_norm(x, gain, eps=1e-6):\n    {line}\n    return _right(x, gain, eps)\n\n\ndef _right(x, gain, eps):\n",
        )
    )
    found = {verdict.check: verdict.outcome for verdict in study(norms, path).verdicts}
    assert found[CHECK] == outcome
