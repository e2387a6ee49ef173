"""Shortcuts are found by their names in the source, and cost only the checks that lead to them."""

import pytest

from grader.exercise import Refused
from grader.shortcut import shortcuts

REFUSED = Refused(functions=frozenset({"layer_norm", "LayerNorm", "softmax"}), modules=frozenset({"transformers"}))


def names(source):
    return {name: found.name for name, found in shortcuts(source.encode(), REFUSED).items()}


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ndef norm(x):\n    return torch.nn.functional.layer_norm(x, x.shape)\n",
        "import torch.nn.functional\ndef norm(x):\n    return torch.nn.functional.layer_norm(x, x.shape)\n",
        "import torch.nn.functional as F\ndef norm(x):\n    return F.layer_norm(x, x.shape)\n",
        "from torch.nn import functional as F\ndef norm(x):\n    return F.layer_norm(x, x.shape)\n",
        "from torch.nn.functional import layer_norm\ndef norm(x):\n    return layer_norm(x, x.shape)\n",
        "from torch.nn.functional import layer_norm as f\ndef norm(x):\n    return f(x, x.shape)\n",
        "def norm(x):\n    from torch.nn.functional import layer_norm\n    return layer_norm(x, x.shape)\n",
    ],
)
def test_every_spelling_is_found(source):
    assert names(source) == {"norm": "torch.nn.functional.layer_norm"}


def test_a_module_of_torch_is_found():
    source = "from torch import nn\nclass Norm(nn.Module):\n    def __init__(self):\n        self.n = nn.LayerNorm(3)\n"
    assert names(source) == {"Norm": "torch.nn.LayerNorm"}


def test_what_leads_to_a_shortcut_is_found_and_nothing_else():
    source = (
        "import torch\nhelp_ = torch.softmax\n"
        "def attention(x):\n    return mix(x)\ndef mix(x):\n    return help_(x, -1)\ndef rope(x):\n    return x\n"
    )
    assert names(source) == dict.fromkeys(["help_", "attention", "mix"], "torch.softmax")


def test_a_package_that_is_imported_inside_a_function_is_found():
    source = "def norm(x):\n    import transformers.models\n    return x\n"
    assert names(source) == {"norm": "transformers.models"}


def test_what_runs_at_the_top_concerns_every_check():
    assert names("import torch\ntorch.softmax(torch.ones(2), 0)\n") == {"": "torch.softmax"}


@pytest.mark.parametrize(
    "source",
    [
        "def softmax(x):\n    return x\ndef attention(x):\n    return softmax(x)\n",
        "class A:\n    def softmax(self):\n        return self.softmax\n",
        "import torch\ndef layer_norm(x):\n    return x - x.mean()\n",
        "import numpy as np\ndef f(x):\n    return np.softmax(x)\n",
        "import torch\ndef test_mine():\n    assert torch.softmax\n",
        "import torch\nclass TestMine:\n    def test_it(self):\n        assert torch.softmax\n",
        'import torch\nif __name__ == "__main__":\n    print(torch.softmax)\n',
        "from torch.nn.functional import layer_norm\ndef test_mine():\n    layer_norm\n",
        '"""torch.softmax"""\n# F.layer_norm\n',
        "this is no Python",
    ],
)
def test_own_functions_and_own_tests_are_free(source):
    assert names(source) == {}


def test_the_sentence_names_line_and_way_out():
    (found,) = shortcuts(b"import torch\n\ndef f(x):\n    return torch.softmax(x, 0)\n", REFUSED).values()
    assert found.line == 4
    assert "line 4 names torch.softmax" in found.sentence
    assert "test_" in found.sentence


def test_only_the_checks_that_use_the_shortcut_are_refused(course, tmp_path):
    from grader.study import Wish, run

    source = (course.root / "solutions" / "norms.py").read_text()
    # never called, so only its name can tell
    trick = "\n\ndef _unused(x):\n    return torch.nn.functional.layer_norm(x, x.shape)\n\n\n"
    body = "def deep_norm_constants(num_layers: int) -> tuple[float, float]:\n"
    assert body in source
    path = tmp_path / "norms.py"
    path.write_text(source.replace(body, trick + body + "    _unused\n"))
    (grade,) = run(Wish(["norms"], path, "cpu", False, 0, course.root)).exercises
    refused = [verdict.check for verdict in grade.verdicts if verdict.outcome == "refused"]
    assert refused == ["deep_norm_constants_of_decoders"]
    assert grade.score == grade.points - 1
