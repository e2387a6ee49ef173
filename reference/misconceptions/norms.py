"""Named wrong programs of the norms exercise.

Each class is a namespace: what it defines replaces the definitions of the same name in a right norms.py.
The first line of its docstring completes "this equals ...", the rest is shown to the student.
"""

import torch
from torch import nn


class unbiased_variance:
    """N01. layer norm with the unbiased variance (divided by d - 1)

    On short rows the result is visibly too small. What does the formula divide the squares by, and what
    does `var` divide by when nothing else is said?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = h.var(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class rms_unbiased:
    """N01. RMS norm with the sum of squares divided by d - 1

    On short rows the result is visibly too small. No mean was estimated here, so count again how many
    squares are averaged.
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).sum(-1, keepdim=True) / (h.shape[-1] - 1)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class eps_outside_root:
    """N02. layer norm with eps added to the standard deviation, outside the root

    With a large eps such as 0.1, or on rows near zero, the result is off. On which side of the root does
    the formula add eps?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / (torch.sqrt(var) + eps)
        return (y * gain + bias).to(x.dtype)


class rms_eps_outside_root:
    """N02. RMS norm with eps added to the root mean square, outside the root

    With a large eps such as 0.1, or on rows near zero, the result is off. On which side of the root does
    the formula add eps?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / (torch.sqrt(mean_square) + eps)
        return (y * gain).to(x.dtype)


class batch_eps_outside_root:
    """N02. batch norm with eps added to the standard deviation, outside the root

    With a large eps such as 0.1, or in columns that barely vary, the result is off. On which side of the
    root does the formula add eps?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / (torch.sqrt(var) + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class eps_missing:
    """N03. layer norm without eps

    A constant row has variance 0 and comes out as NaN instead of the bias. Which number of the formula
    keeps the root away from 0?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var)
        return (y * gain + bias).to(x.dtype)


class rms_eps_missing:
    """N03. RMS norm without eps

    A row of zeros comes out as NaN instead of zeros. Which number of the formula keeps the root away from
    0?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square)
        return (y * gain).to(x.dtype)


class batch_eps_missing:
    """N03. batch norm without eps

    A column in which all rows agree comes out as NaN instead of the bias. Which number of the formula
    keeps the root away from 0?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var)
            return (y * self.gain + self.bias).to(x.dtype)


class eps_hard_coded:
    """N04. layer norm with a fixed eps of 1e-5, whatever eps is passed

    The result does not change when eps changes, which shows with eps = 0.1 on small rows. Look for a
    number that should be a name.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + 1e-5)
        return (y * gain + bias).to(x.dtype)


class rms_eps_hard_coded:
    """N04. RMS norm with a fixed eps of 1e-6, whatever eps is passed

    The result does not change when eps changes, which shows with eps = 0.1 on small rows. Look for a
    number that should be a name.
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + 1e-6)
        return (y * gain).to(x.dtype)


class batch_eps_hard_coded:
    """N04. batch norm with a fixed eps of 1e-5, whatever eps is passed

    The result does not change when eps changes, which shows with eps = 0.1 on small rows. Look for a
    number that should be a name.
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = 1e-5
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class first_axis:
    """N05. layer norm over the first axis

    Every token is normalized with the numbers of other tokens, which shows as soon as x has two axes.
    Which axis holds the features of one token?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(0, keepdim=True)
        var = ((h - mean) ** 2).mean(0, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class second_axis:
    """N05. layer norm over axis 1 instead of the last axis

    It is right for x of shape (rows, d_model), but with (batch, time, d_model) axis 1 is time. How do you
    name the last axis whatever the number of axes?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(1, keepdim=True)
        var = ((h - mean) ** 2).mean(1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class all_axes_but_batch:
    """N05. layer norm over all axes but the first

    It is right for x of shape (rows, d_model), but with (batch, time, d_model) all tokens of a text share
    one mean. Each token has its own in a transformer.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        axes = tuple(range(1, h.dim())) or (0,)
        mean = h.mean(axes, keepdim=True)
        var = ((h - mean) ** 2).mean(axes, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class all_axes:
    """N05. layer norm with one mean and one variance for the whole tensor

    Rows of different scale show it: a huge row pushes all others towards zero. Over which axis does the
    formula sum?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean()
        var = ((h - mean) ** 2).mean()
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class rms_first_axis:
    """N05. RMS norm over the first axis

    Every token is divided by the size of other tokens, which shows as soon as x has two axes. Which axis
    holds the features of one token?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(0, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class rms_second_axis:
    """N05. RMS norm over axis 1 instead of the last axis

    It is right for x of shape (rows, d_model), but with (batch, time, d_model) axis 1 is time. How do you
    name the last axis whatever the number of axes?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class rms_all_axes_but_batch:
    """N05. RMS norm over all axes but the first

    It is right for x of shape (rows, d_model), but with (batch, time, d_model) all tokens of a text share
    one size. Each token has its own in a transformer.
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        axes = tuple(range(1, h.dim())) or (0,)
        mean_square = (h**2).mean(axes, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class rms_all_axes:
    """N05. RMS norm with one mean square for the whole tensor

    Rows of different scale show it: a huge row pushes all others towards zero. Over which axis does the
    formula sum?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean()
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class batch_normalizes_rows:
    """N05. batch norm that normalizes each row, in training, as layer norm does

    The columns of the output do not have mean 0 in training. Batch norm compares the same feature in
    different rows of the batch: which axis is averaged?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(1, keepdim=True)
                var = h.var(1, unbiased=False, keepdim=True)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * h.mean(0))
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_all_axes:
    """N05. batch norm with one mean and one variance for all columns, in training

    Columns of different scale show it: a large one hides all others. How many means does a batch of
    d_model columns have?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean()
                var = h.var(unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * h.mean(0))
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class no_root:
    """N07. layer norm divided by the variance instead of its root

    A row scaled by 10 must give the same result, and here it comes out ten times smaller. Which power of
    the variance has the unit of x?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / (var + eps)
        return (y * gain + bias).to(x.dtype)


class variance_squared:
    """N07. layer norm with the variance squared under the root

    A row scaled by 10 must give the same result, and here it comes out ten times smaller. The variance is
    a square already: what does the root have to undo?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var**2 + eps)
        return (y * gain + bias).to(x.dtype)


class rms_no_root:
    """N07. RMS norm divided by the mean square instead of its root

    A row scaled by 10 must give the same result, and here it comes out ten times smaller. Which letter of
    RMS is missing?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / (mean_square + eps)
        return (y * gain).to(x.dtype)


class batch_no_root:
    """N07. batch norm divided by the variance instead of its root

    A column scaled by 10 must give the same result in training, and here it comes out ten times smaller.
    Which power of the variance has the unit of x?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / (var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class gain_not_applied:
    """N08. layer norm without the gain

    With a gain of ones nothing is seen; a random gain shows it. Follow the argument through your
    function: where is it used?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y + bias).to(x.dtype)


class bias_not_applied:
    """N08. layer norm without the bias

    With a bias of zeros nothing is seen; a random bias shows it, and so does a constant row, which must
    give the bias.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain).to(x.dtype)


class gain_and_bias_swapped:
    """N08. layer norm with the gain added and the bias multiplied

    With gain 1 and bias 0 every output is 1. Compare the order of the arguments with the roles of g and b
    in the formula.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * bias + gain).to(x.dtype)


class bias_before_gain:
    """N08. layer norm with the bias added before the multiplication by the gain

    It needs a random gain and a random bias to be seen: the bias comes out multiplied. A constant row
    must give the bias itself.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return ((y + bias) * gain).to(x.dtype)


class rms_gain_not_applied:
    """N08. RMS norm without the gain

    With a gain of ones nothing is seen; a random gain shows it. Follow the argument through your
    function: where is it used?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return y.to(x.dtype)


class batch_gain_not_applied:
    """N08. batch norm without the gain

    At the start the gain is 1 and nothing is seen; a trained or random gain shows it. Where does the
    forward pass use the parameter?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y + self.bias).to(x.dtype)


class batch_bias_not_applied:
    """N08. batch norm without the bias

    At the start the bias is 0 and nothing is seen; a trained or random bias shows it. Where does the
    forward pass use the parameter?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain).to(x.dtype)


class batch_bias_before_gain:
    """N08. batch norm with the bias added before the multiplication by the gain

    It needs a random gain and a random bias to be seen: the bias comes out multiplied. Scale first, then
    shift.
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return ((y + self.bias) * self.gain).to(x.dtype)


class rms_subtracts_mean:
    """N09. RMS norm that subtracts the mean, which makes it layer norm without a bias

    Rows with a mean far from 0, such as 5, show it: a constant row must come out as the gain, not as
    zeros. What does RMS norm leave out?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        h = h - h.mean(-1, keepdim=True)
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class rms_divides_by_std:
    """N09. RMS norm divided by the standard deviation instead of the root mean square

    Rows with a mean far from 0, such as 5, show it: the result is far too large. Does the mean square
    subtract anything before it squares?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = h.var(-1, keepdim=True, unbiased=False)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class variance_cancellation:
    """N11. layer norm with the variance computed as mean(x^2) - mean(x)^2

    With a mean such as 10000 in float32 the two terms agree in all their digits, and the difference is
    noise or even negative. Make the numbers small before you square them.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = (h**2).mean(-1, keepdim=True) - mean**2
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class variance_cancellation_clamped:
    """N11. layer norm with the variance as mean(x^2) - mean(x)^2, cut off at 0

    The cut hides the NaN, but with a mean such as 10000 in float32 all digits of the variance are still
    lost. Make the numbers small before you square them.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h**2).mean(-1, keepdim=True) - mean**2).clamp(min=0)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class batch_variance_cancellation:
    """N11. batch norm with the variance computed as mean(x^2) - mean(x)^2

    Columns with a mean such as 10000 in float32 lose every digit of the variance. Make the numbers small
    before you square them.
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = ((h**2).mean(0) - mean**2).clamp(min=0)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class half_statistics:
    """N12. layer norm with mean and variance computed in half precision

    In float16 the square of a number above 256 overflows and the row becomes 0; in bfloat16 two or three
    digits are left. In which dtype should the sums be taken?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class rms_half_statistics:
    """N12. RMS norm with the mean square computed in half precision

    In float16 the square of a number above 256 overflows and the row becomes 0; in bfloat16 two or three
    digits are left. In which dtype should the sum be taken?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class half_squares:
    """N12. layer norm that widens to float32 only after squaring

    The average is taken in float32, but the squares have overflowed before: in float16 entries above 256
    show it. Follow the dtype from the first line on.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        wide = torch.promote_types(x.dtype, torch.float32)
        mean = x.to(wide).mean(-1, keepdim=True).to(x.dtype)
        var = ((x - mean) ** 2).to(wide).mean(-1, keepdim=True)
        y = (x - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class rms_half_squares:
    """N12. RMS norm that widens to float32 only after squaring

    The average is taken in float32, but the squares have overflowed before: in float16 entries above 256
    show it. Follow the dtype from the first line on.
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (x**2).to(h.dtype).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class one_plus_gain:
    """N15. layer norm scaled by 1 + gain

    With a gain of ones every output is doubled. Some models store the gain as a difference from 1; this
    task starts it at 1.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * (1 + gain) + bias).to(x.dtype)


class rms_one_plus_gain:
    """N15. RMS norm scaled by 1 + gain

    With a gain of ones every output is doubled. Some models store the gain as a difference from 1; this
    task starts it at 1.
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return (y * (1 + gain)).to(x.dtype)


class batch_one_plus_gain:
    """N15. batch norm scaled by 1 + gain

    A new module doubles its output. Some models store the gain as a difference from 1; this task starts
    it at 1.
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * (1 + self.gain) + self.bias).to(x.dtype)


class batch_stats_in_eval:
    """N16. batch norm that uses the statistics of the batch in evaluation too

    Train on one batch, switch to eval() and pass another: the output must depend on what was remembered,
    and one row must not depend on the others. What are the buffers for?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            mean = h.mean(0)
            var = h.var(0, unbiased=False)
            if self.training:
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_unbiased_normalizes:
    """N16. batch norm that normalizes the training batch with the unbiased variance

    In a small batch the output is visibly too small in training. Two variances occur in the task: which
    one normalizes, which one is remembered?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=True)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_biased_running_var:
    """N16. batch norm that remembers the biased variance

    running_var is too small after a step on a small batch, and so evaluation is off. Two variances occur
    in the task: which one normalizes, which one is remembered?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * var)
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_variances_swapped:
    """N16. batch norm with the biased and the unbiased variance exchanged

    Both the training output and running_var are off on a small batch. Which variance normalizes, and
    which one is remembered?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=True)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=False))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class deep_scales_sublayer:
    """N17. deep norm with alpha on the sublayer instead of the residual branch

    Any alpha but 1 shows it. DeepNorm makes the identity path heavy and the update light: which of the
    two is multiplied?
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        return layer_norm(x + alpha * sublayer(x), gain, bias, eps)


class deep_alpha_ignored:
    """N17. plain layer norm of x + sublayer(x), without alpha

    Any alpha but 1 shows it: the output does not change with alpha. What makes DeepNorm different from
    the post-norm of the first transformer?
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        return layer_norm(x + sublayer(x), gain, bias, eps)


class deep_no_residual:
    """N17. layer norm after the sublayer, without a residual branch

    DeepNorm is not one more norm after each layer. A sublayer that returns zeros shows it: the output
    must then be the layer norm of alpha * x.
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        return layer_norm(sublayer(x), gain, bias, eps)


class statistics_detached:
    """X01. layer norm whose mean and variance are left out of the gradient

    The values are right, but the gradient of x is not: mean and variance depend on x too. Which of your
    lines does autograd not see?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        with torch.no_grad():
            mean = h.mean(-1, keepdim=True)
            var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class rms_statistics_detached:
    """X02. RMS norm whose mean square is left out of the gradient

    The values are right, but the gradient of x is not: the mean square depends on x too. Which of your
    lines does autograd not see?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h.data**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class variance_detached:
    """X03. layer norm whose variance is left out of the gradient

    The values are right, but the gradient of x is not: only the mean is seen by autograd. Does the
    gradient along the normalized row vanish, as it must?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var.detach() + eps)
        return (y * gain + bias).to(x.dtype)


class batch_statistics_detached:
    """X04. batch norm whose batch mean and variance are left out of the gradient

    The training output is right, but the gradient of x is not: the statistics of the batch depend on x.
    Which part alone has to stay outside the graph?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.detach().mean(0)
                var = h.detach().var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class gain_detached:
    """X05. layer norm that takes gain and bias without their gradients

    The values and the gradient of x are right, but gain and bias get no gradient and never learn. What
    does `.data` hand out?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain.data + bias.data).to(x.dtype)


class rms_gain_detached:
    """X06. RMS norm that takes the gain without its gradient

    The values and the gradient of x are right, but the gain gets no gradient and never learns. What does
    `.data` hand out?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain.data).to(x.dtype)


class rows_by_item:
    """X07. layer norm with mean and variance taken out of the graph as Python numbers

    A Python number has no gradient and cannot exist on the meta device. Which call turns a tensor into a
    number?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        rows = []
        for row in h.reshape(-1, h.shape[-1]):
            mean = row.mean().item()
            var = ((row - mean) ** 2).mean().item()
            rows.append((row - mean) / (var + eps) ** 0.5 * gain + bias)
        return torch.stack(rows).reshape(x.shape).to(x.dtype)


class rms_rows_by_item:
    """X08. RMS norm with the mean square taken out of the graph as a Python number

    A Python number has no gradient and cannot exist on the meta device. Which call turns a tensor into a
    number?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        rows = []
        for row in h.reshape(-1, h.shape[-1]):
            mean_square = (row**2).mean().item()
            rows.append(row / (mean_square + eps) ** 0.5 * gain)
        return torch.stack(rows).reshape(x.shape).to(x.dtype)


class changes_x:
    """X09. layer norm that subtracts the mean from x in place

    The caller's x is changed: compare it with a copy afterwards. `-=` writes into the tensor that was
    passed in.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        h -= mean
        var = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class rms_changes_x:
    """X10. RMS norm that divides x in place

    The caller's x is changed: compare it with a copy afterwards. `/=` writes into the tensor that was
    passed in.
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        h /= torch.sqrt(mean_square + eps)
        return (h * gain).to(x.dtype)


class deep_changes_x:
    """X11. deep norm that multiplies x by alpha in place

    The caller's x is changed, and a later layer reads the wrong residual: compare x with a copy
    afterwards. `*=` writes into the tensor that was passed in.
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        branch = sublayer(x)
        x *= alpha
        return layer_norm(x + branch, gain, bias, eps)


class mean_not_subtracted:
    """X12. layer norm that divides x by the standard deviation without subtracting the mean

    The rows of the output do not have mean 0. The mean is used for the variance, but where else does the
    formula need it?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = h / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class variance_around_zero:
    """X13. layer norm divided by the root mean square of x instead of its standard deviation

    Rows with a mean far from 0 come out too small. What is subtracted before squaring in the variance?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = (h**2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class sum_instead_of_mean:
    """X14. layer norm with the sum of squares instead of their mean

    Each row comes out with length 1 and not with variance 1, so it is too small by sqrt(d). Where does
    the formula divide by d?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).sum(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class rms_sum_of_squares:
    """X15. RMS norm with the sum of squares instead of their mean (the l2 norm)

    Each row comes out with length 1, so it is too small by sqrt(d). What does the M in RMS stand for?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).sum(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class rms_l2_clamped:
    """X16. RMS norm as l2 normalization times sqrt(d), with eps only as a lower limit of the length

    On usual rows it looks right, but with a large eps or a row near zero it differs. Is eps a limit in
    the formula, or a term of a sum?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        length = (h**2).sum(-1, keepdim=True).sqrt().clamp(min=eps)
        y = h / length * h.shape[-1] ** 0.5
        return (y * gain).to(x.dtype)


class rms_mean_abs:
    """X17. RMS norm divided by the mean absolute value

    Entries of different size show it: the root mean square weighs the large ones more. Which letter of
    RMS is missing?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        size = h.abs().mean(-1, keepdim=True)
        y = h / torch.sqrt(size**2 + eps)
        return (y * gain).to(x.dtype)


class mean_abs_deviation:
    """X18. layer norm divided by the mean absolute deviation

    The rows of the output do not have variance 1. What happens to the deviations before they are
    averaged?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        deviation = (h - mean).abs().mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(deviation**2 + eps)
        return (y * gain + bias).to(x.dtype)


class double_root:
    """X19. layer norm divided by the root of the standard deviation

    A row scaled by 10 must give the same result, and here it grows. Count the roots: does `std` hold one
    already?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        std = torch.sqrt(var + eps)
        y = (h - mean) / torch.sqrt(std)
        return (y * gain + bias).to(x.dtype)


class rms_double_root:
    """X20. RMS norm divided by the root of the root mean square

    A row scaled by 10 must give the same result, and here it grows. Count the roots.
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        rms = torch.sqrt(mean_square + eps)
        y = h * torch.rsqrt(rms)
        return (y * gain).to(x.dtype)


class variance_clamped_at_eps:
    """X21. layer norm with eps as a lower limit of the variance instead of a term added to it

    Rows with a variance above eps are normalized as if eps were 0: a large eps such as 0.1 shows it. Read
    the formula again: limit or sum?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var.clamp(min=eps))
        return (y * gain + bias).to(x.dtype)


class rms_clamped_at_eps:
    """X22. RMS norm with eps as a lower limit of the mean square instead of a term added to it

    Rows with a mean square above eps are normalized as if eps were 0: a large eps such as 0.1 shows it.
    Read the formula again: limit or sum?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square.clamp(min=eps))
        return (y * gain).to(x.dtype)


class eps_twice:
    """X23. layer norm with eps added inside and outside the root

    With a large eps such as 0.1, or on rows near zero, the result is too small. How often does eps occur
    in the formula?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / (torch.sqrt(var + eps) + eps)
        return (y * gain + bias).to(x.dtype)


class gain_before_norm:
    """X24. layer norm that multiplies x by the gain before it is normalized

    A gain of ones hides it; with a random gain the mean and the variance are those of the scaled row.
    When does the formula multiply?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32)) * gain
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y + bias).to(x.dtype)


class rms_gain_before_norm:
    """X25. RMS norm that multiplies x by the gain before it is normalized

    A gain of ones hides it; with a random gain the root mean square is that of the scaled row. When does
    the formula multiply?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32)) * gain
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return y.to(x.dtype)


class rms_wrong_default_eps:
    """X26. RMS norm with the default eps of layer norm, 1e-5

    A call without eps on a row near zero shows it. Compare the signature with the one in the task: the
    two norms have different defaults.
    """

    def rms_norm(x, gain, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class keepdim_missing:
    """X27. layer norm whose statistics lose the last axis

    With as many rows as columns the wrong numbers meet silently; with other shapes it crashes. What shape
    must the mean have to be subtracted from its own row?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1)
        var = h.var(-1, unbiased=False)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class two_axes_only:
    """X28. layer norm for x of shape (rows, d_model) only

    It crashes on a single row of shape (d_model,) and on (batch, time, d_model). The shape in the task
    begins with dots.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        rows, d = x.shape
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = (h.sum(1) / d).reshape(rows, 1)
        var = (((h - mean) ** 2).sum(1) / d).reshape(rows, 1)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class rms_two_axes_only:
    """X29. RMS norm for x of shape (rows, d_model) only

    It crashes on a single row of shape (d_model,) and on (batch, time, d_model). The shape in the task
    begins with dots.
    """

    def rms_norm(x, gain, eps=1e-6):
        rows, d = x.shape
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = ((h**2).sum(1) / d).reshape(rows, 1)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class shape_flattened:
    """X30. layer norm that returns all rows in a flat (rows, d_model) tensor

    The numbers are right, but with x of shape (batch, time, d_model) the result has two axes. What shape
    does the task promise?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.reshape(-1, x.shape[-1]).to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class returns_float32:
    """X31. layer norm that returns float32 for half-precision input

    The numbers are right, but the next layer gets the wrong dtype: bfloat16 and float16 input show it.
    Which step comes after the last line of the formula?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return y * gain + bias.to(h.dtype)


class rms_returns_float32:
    """X32. RMS norm that returns float32 for half-precision input

    The numbers are right, but the next layer gets the wrong dtype: bfloat16 and float16 input show it.
    Which step comes after the last line of the formula?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return y * gain


class float32_inside:
    """X33. layer norm that computes float64 input in float32

    The result says float64, but only seven digits are right. float32 is the least precision to compute
    in, not the only one.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.float()
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        y = (h - mean) / torch.sqrt(var + eps)
        return (y * gain + bias).to(x.dtype)


class rms_float32_inside:
    """X34. RMS norm that computes float64 input in float32

    The result says float64, but only seven digits are right. float32 is the least precision to compute
    in, not the only one.
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.float()
        mean_square = (h**2).mean(-1, keepdim=True)
        y = h / torch.sqrt(mean_square + eps)
        return (y * gain).to(x.dtype)


class tensor_on_cpu:
    """X35. layer norm with a helper tensor made on the CPU

    On the CPU nothing is seen; on any other device two devices meet in one sum, and it crashes. Where
    should a new tensor live?
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = h.mean(-1, keepdim=True)
        var = ((h - mean) ** 2).mean(-1, keepdim=True)
        floor = torch.full((*h.shape[:-1], 1), eps, dtype=h.dtype, device="cpu")
        y = (h - mean) / torch.sqrt(var + floor)
        return (y * gain + bias).to(x.dtype)


class rms_tensor_on_default_device:
    """X36. RMS norm with a helper tensor made on the default device

    On the CPU nothing is seen; on any other device two devices meet in one sum, and it crashes. Where is
    a tensor made when nothing is said?
    """

    def rms_norm(x, gain, eps=1e-6):
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = (h**2).mean(-1, keepdim=True)
        floor = torch.full((*h.shape[:-1], 1), eps, dtype=h.dtype)
        y = h / torch.sqrt(mean_square + floor)
        return (y * gain).to(x.dtype)


class batch_tensor_on_default_device:
    """X37. batch norm with a helper tensor made on the default device

    On the CPU nothing is seen; on any other device two devices meet in one sum, and it crashes. Where is
    a tensor made when nothing is said?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            floor = torch.full((h.shape[1],), self.eps, dtype=h.dtype)
            y = (h - mean) / torch.sqrt(var + floor)
            return (y * self.gain + self.bias).to(x.dtype)


class gain_not_parameter:
    """X38. a LayerNorm whose gain and bias are plain tensors

    parameters() is empty, so no optimizer trains them, and .to() leaves them behind. What makes a tensor
    belong to a module?
    """

    class LayerNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            self.eps = eps
            self.gain = torch.ones(d_model)
            self.bias = torch.zeros(d_model)

        def forward(self, x):
            return layer_norm(x, self.gain, self.bias, self.eps)


class rms_gain_not_parameter:
    """X39. an RMSNorm whose gain is a plain tensor that requires gradients

    The gain gets a gradient, but parameters() is empty, so no optimizer trains it, and .to() leaves it
    behind. What makes a tensor belong to a module?
    """

    class RMSNorm(nn.Module):
        def __init__(self, d_model, eps=1e-6):
            super().__init__()
            self.eps = eps
            self.gain = torch.ones(d_model, requires_grad=True)

        def forward(self, x):
            return rms_norm(x, self.gain, self.eps)


class gain_as_buffer:
    """X40. a LayerNorm whose gain and bias are buffers

    They move with the module, but are not learnable: parameters() is empty. Which of the two kinds of
    module tensors is trained?
    """

    class LayerNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            self.eps = eps
            self.register_buffer("gain", torch.ones(d_model))
            self.register_buffer("bias", torch.zeros(d_model))

        def forward(self, x):
            return layer_norm(x, self.gain, self.bias, self.eps)


class gain_frozen:
    """X41. an RMSNorm whose gain is a parameter without gradient

    The values are right, but after backward() the gain has no gradient. The task says learnable.
    """

    class RMSNorm(nn.Module):
        def __init__(self, d_model, eps=1e-6):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.ones(d_model), requires_grad=False)

        def forward(self, x):
            return rms_norm(x, self.gain, self.eps)


class gain_starts_at_zero:
    """X42. a LayerNorm whose gain is zero at first

    A new module returns zeros, and no gradient passes through it. Which gain leaves the normalized row as
    it is?
    """

    class LayerNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.zeros(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))

        def forward(self, x):
            return layer_norm(x, self.gain, self.bias, self.eps)


class rms_gain_starts_at_zero:
    """X43. an RMSNorm whose gain is zero at first

    A new module returns zeros, and no gradient passes through it. Which gain leaves the normalized row as
    it is?
    """

    class RMSNorm(nn.Module):
        def __init__(self, d_model, eps=1e-6):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.zeros(d_model))

        def forward(self, x):
            return rms_norm(x, self.gain, self.eps)


class gain_starts_random:
    """X44. a LayerNorm whose gain and bias are random at first

    Two new modules give different results. These parameters are no weight matrix: no symmetry has to be
    broken, so look up their start values.
    """

    class LayerNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.randn(d_model))
            self.bias = nn.Parameter(torch.randn(d_model))

        def forward(self, x):
            return layer_norm(x, self.gain, self.bias, self.eps)


class rms_gain_starts_random:
    """X45. an RMSNorm whose gain is random at first

    Two new modules give different results. The gain is no weight matrix: no symmetry has to be broken, so
    look up its start value.
    """

    class RMSNorm(nn.Module):
        def __init__(self, d_model, eps=1e-6):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.randn(d_model))

        def forward(self, x):
            return rms_norm(x, self.gain, self.eps)


class bias_starts_at_one:
    """X46. a LayerNorm whose bias is one at first

    A new module shifts every entry by 1. Which bias leaves the normalized row as it is?
    """

    class LayerNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.ones(d_model))

        def forward(self, x):
            return layer_norm(x, self.gain, self.bias, self.eps)


class one_gain_for_all:
    """X47. a LayerNorm with a single gain and bias for all features

    The values agree at the start, but the parameters have shape (1,). Each feature learns its own gain
    and bias: what shape is that?
    """

    class LayerNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.ones(1))
            self.bias = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return layer_norm(x, self.gain, self.bias, self.eps)


class rms_one_gain_for_all:
    """X48. an RMSNorm with a single gain for all features

    The values agree at the start, but the parameter has shape (1,). Each feature learns its own gain:
    what shape is that?
    """

    class RMSNorm(nn.Module):
        def __init__(self, d_model, eps=1e-6):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.ones(1))

        def forward(self, x):
            return rms_norm(x, self.gain, self.eps)


class parameters_renamed:
    """X49. a LayerNorm whose parameters are called weight and bias

    Code that reads or loads `gain` does not find it. The names of the parameters are part of the task.
    """

    class LayerNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            self.eps = eps
            self.weight = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))

        def forward(self, x):
            return layer_norm(x, self.weight, self.bias, self.eps)


class rms_extra_bias:
    """X50. an RMSNorm with a bias as a second parameter

    At the start nothing is seen, but parameters() lists two tensors. What does RMS norm leave out,
    compared with layer norm?
    """

    class RMSNorm(nn.Module):
        def __init__(self, d_model, eps=1e-6):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))

        def forward(self, x):
            return rms_norm(x, self.gain, self.eps) + self.bias


class module_drops_eps:
    """X51. a LayerNorm that does not pass its eps on

    A module made with eps = 0.1 gives the same result as one with the default. Follow eps from __init__
    to the function.
    """

    class LayerNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))

        def forward(self, x):
            return layer_norm(x, self.gain, self.bias)


class rms_module_drops_eps:
    """X52. an RMSNorm that does not pass its eps on

    A module made with eps = 0.1 gives the same result as one with the default. Follow eps from __init__
    to the function.
    """

    class RMSNorm(nn.Module):
        def __init__(self, d_model, eps=1e-6):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.ones(d_model))

        def forward(self, x):
            return rms_norm(x, self.gain)


class rms_module_wrong_default_eps:
    """X53. an RMSNorm module with the default eps of LayerNorm, 1e-5

    A module made without eps shows it on a row near zero. Compare the signature with the one in the task:
    the two norms have different defaults.
    """

    class RMSNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.ones(d_model))

        def forward(self, x):
            return rms_norm(x, self.gain, self.eps)


class module_ignores_gain:
    """X54. a LayerNorm whose forward pass does not use its gain and bias

    At the start nothing is seen; after a training step, or with random parameters, the result does not
    change. Where does forward read them?
    """

    class LayerNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))

        def forward(self, x):
            return layer_norm(x, torch.ones_like(self.gain), torch.zeros_like(self.bias), self.eps)


class rms_module_ignores_gain:
    """X55. an RMSNorm whose forward pass does not use its gain

    At the start nothing is seen; after a training step, or with a random gain, the result does not
    change. Where does forward read it?
    """

    class RMSNorm(nn.Module):
        def __init__(self, d_model, eps=1e-6):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.ones(d_model))

        def forward(self, x):
            return rms_norm(x, torch.ones_like(self.gain), self.eps)


class rms_module_is_layer_norm:
    """X56. an RMSNorm module that computes layer norm

    Rows with a mean far from 0 show it: the module subtracts the mean. Which function does forward call?
    """

    class RMSNorm(nn.Module):
        def __init__(self, d_model, eps=1e-6):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.ones(d_model))

        def forward(self, x):
            return layer_norm(x, self.gain, torch.zeros_like(self.gain), self.eps)


class batch_momentum_swapped:
    """X57. batch norm with momentum as the weight of the old average

    After one step with momentum 0.1 the buffers hold nine tenths of the batch instead of one tenth.
    Optimizers use the other convention: which term does the task multiply?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_(m * self.running_mean + (1 - m) * mean)
                    self.running_var.copy_(m * self.running_var + (1 - m) * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_momentum_hard_coded:
    """X58. batch norm with a fixed momentum of 0.1, whatever momentum is passed

    A module made with momentum = 0.3 moves its buffers as little as one with the default. Look for a
    number that should be a name.
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = 0.1
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_running_accumulates:
    """X59. batch norm that adds each batch to the buffers without shrinking the old average

    The buffers grow with every step. The two weights of an average add up to 1: which one is missing?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_(self.running_mean + m * mean)
                    self.running_var.copy_(self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_keeps_last_batch:
    """X60. batch norm that remembers the last batch only

    After a step the buffers equal the statistics of the batch, whatever was there before. Where does
    momentum come in?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    self.running_mean.copy_(mean)
                    self.running_var.copy_(h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_never_updates:
    """X61. batch norm whose running averages never move

    After training the buffers still hold zeros and ones, so evaluation does not normalize. Which line of
    the task moves them?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_updates_in_eval:
    """X62. batch norm whose running averages move in evaluation too

    Evaluate the same batch twice: the results differ, and the buffers have changed. In which of the two
    modes does a model learn?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            with torch.no_grad():
                m = self.momentum
                new_mean = (1 - m) * self.running_mean + m * h.mean(0)
                new_var = (1 - m) * self.running_var + m * h.var(0, unbiased=True)
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            self.running_mean = new_mean.to(self.running_mean.dtype)
            self.running_var = new_var.to(self.running_var.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_running_in_training:
    """X63. batch norm that normalizes with the running averages in training too

    The columns of the training output do not have mean 0 and variance 1. Which statistics does each of
    the two modes use?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            mean = self.running_mean.to(h.dtype)
            var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_running_parameters:
    """X64. batch norm whose running averages are parameters

    parameters() lists four tensors, so an optimizer may move the averages. They are recorded, not
    learned: what does a module call such tensors?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.running_mean = nn.Parameter(torch.zeros(d_model))
            self.running_var = nn.Parameter(torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_running_plain_tensors:
    """X65. batch norm whose running averages are plain tensors

    state_dict() does not hold them, so a saved model forgets them, and .to() leaves them behind. How does
    a module get to know a tensor that is not trained?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.running_mean = torch.zeros(d_model)
            self.running_var = torch.ones(d_model)

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_running_keeps_graph:
    """X66. batch norm whose running averages stay in the graph of every past batch

    After a step the buffers require gradients, memory grows, and backward() after evaluation fails. The
    averages are a record of numbers: where should autograd stop?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                m = self.momentum
                self.running_mean = ((1 - m) * self.running_mean + m * mean).to(self.running_mean.dtype)
                new_var = (1 - m) * self.running_var + m * h.var(0, unbiased=True)
                self.running_var = new_var.to(self.running_var.dtype)
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_running_var_starts_at_zero:
    """X67. batch norm whose running variance is zero at first

    Evaluation before any training blows the input up. Which start values leave x as it is, up to eps?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.zeros(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_running_std:
    """X68. batch norm that averages the standard deviation instead of the variance

    running_var is off after a step on columns whose variance is not 1. What does the name of the buffer
    promise?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.std(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            return (y * self.gain + self.bias).to(x.dtype)


class batch_eval_without_gain:
    """X69. batch norm that scales and shifts in training only

    Evaluation with a random gain and bias shows it. The two modes differ in their statistics, and in
    nothing else.
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps = eps
            self.momentum = momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            h = x.to(torch.promote_types(x.dtype, torch.float32))
            if self.training:
                mean = h.mean(0)
                var = h.var(0, unbiased=False)
                with torch.no_grad():
                    m = self.momentum
                    self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
                    self.running_var.copy_((1 - m) * self.running_var + m * h.var(0, unbiased=True))
            else:
                mean = self.running_mean.to(h.dtype)
                var = self.running_var.to(h.dtype)
            y = (h - mean) / torch.sqrt(var + self.eps)
            if not self.training:
                return y.to(x.dtype)
            return (y * self.gain + self.bias).to(x.dtype)


class deep_alpha_on_both:
    """X70. deep norm with alpha on both branches

    Apart from eps the layer norm removes a common factor, so alpha has no effect. Which of the two
    branches is multiplied?
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        return layer_norm(alpha * (x + sublayer(x)), gain, bias, eps)


class deep_scales_input_of_sublayer:
    """X71. deep norm whose sublayer gets alpha * x as its input

    Any alpha but 1 shows it, unless the sublayer ignores its input. Only the residual branch is scaled:
    what does G see in the formula?
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        x = alpha * x
        return layer_norm(x + sublayer(x), gain, bias, eps)


class deep_pre_norm:
    """X72. deep norm as pre-norm: alpha * x + sublayer(layer norm(x))

    The rows of the output do not have variance 1. DeepNorm is a post-norm: what is the last step of the
    formula?
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        return alpha * x + sublayer(layer_norm(x, gain, bias, eps))


class deep_norm_before_sum:
    """X73. deep norm that normalizes the sublayer only, before the residual is added

    The rows of the output do not have variance 1. Which comes first in the formula, the sum or the norm?
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        return alpha * x + layer_norm(sublayer(x), gain, bias, eps)


class deep_alpha_outside:
    """X74. deep norm with alpha multiplied to the result: alpha * layer norm(x + sublayer(x))

    Any alpha but 1 shows it: the output grows with alpha. Is alpha inside or outside the layer norm of
    the formula?
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        return alpha * layer_norm(x + sublayer(x), gain, bias, eps)


class deep_divides_by_alpha:
    """X75. deep norm with the residual branch divided by alpha

    Any alpha but 1 shows it: a large alpha must make the output resemble the layer norm of x.
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        return layer_norm(x / alpha + sublayer(x), gain, bias, eps)


class deep_uses_rms_norm:
    """X76. deep norm with RMS norm in place of layer norm

    Rows with a mean far from 0 show it: the mean of the sum must go. Which of the two norms does the
    formula name?
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        return rms_norm(alpha * x + sublayer(x), gain, eps) + bias


class deep_drops_eps:
    """X77. deep norm that does not pass its eps on

    The result does not change when eps changes, which shows with eps = 0.1. Follow eps from the signature
    to the layer norm.
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        return layer_norm(alpha * x + sublayer(x), gain, bias)


class deep_drops_gain:
    """X78. deep norm that normalizes without gain and bias

    With gain 1 and bias 0 nothing is seen; random ones show it. Follow both arguments from the signature
    to the layer norm.
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        return layer_norm(alpha * x + sublayer(x), torch.ones_like(gain), torch.zeros_like(bias), eps)


class deep_sublayer_detached:
    """X79. deep norm whose sublayer runs without gradients

    The values are right, but the weights of the sublayer get no gradient, and x gets only a part. Which
    of your lines does autograd not see?
    """

    def deep_norm(x, sublayer, alpha, gain, bias, eps=1e-5):
        with torch.no_grad():
            branch = sublayer(x)
        return layer_norm(alpha * x + branch, gain, bias, eps)


class constants_swapped:
    """X80. the pair (beta, alpha) instead of (alpha, beta)

    The first of the two must be above 1 and the second below 1 for every N. In which order does the task
    ask for them?
    """

    def deep_norm_constants(num_layers):
        return (8 * num_layers) ** -0.25, (2 * num_layers) ** 0.25


class constants_square_root:
    """X81. alpha and beta with square roots instead of fourth roots

    For N = 8 alpha must be 2, and here it is 4. Which exponent does the formula have?
    """

    def deep_norm_constants(num_layers):
        return (2 * num_layers) ** 0.5, (8 * num_layers) ** -0.5


class constants_n_for_2n:
    """X82. alpha and beta from N and 4N instead of 2N and 8N

    For N = 8 alpha must be 2. A decoder layer has two sublayers: where does the factor 2 stand?
    """

    def deep_norm_constants(num_layers):
        return num_layers**0.25, (4 * num_layers) ** -0.25


class constants_of_encoder_decoder:
    """X83. alpha and beta of the decoder in an encoder-decoder model: 3N and 12N

    For N = 8 alpha must be 2. The figure of the paper has one row per architecture: which one is a
    decoder-only model?
    """

    def deep_norm_constants(num_layers):
        return (3 * num_layers) ** 0.25, (12 * num_layers) ** -0.25


class constants_precedence:
    """X84. alpha and beta with only N under the fourth root: 2 * N^(1/4), 8 * N^(-1/4)

    For N = 1 alpha must be about 1.19, and here it is 2. What does Python compute first, the product or
    the power?
    """

    def deep_norm_constants(num_layers):
        return 2 * num_layers**0.25, 8 * num_layers**-0.25


class constants_beta_sign:
    """X85. beta with a positive exponent, (8N)^(1/4)

    For N = 2 beta must be 0.5, and here it is 2: deep models would start with larger weights instead of
    smaller ones. Look at the sign of the exponent.
    """

    def deep_norm_constants(num_layers):
        return (2 * num_layers) ** 0.25, (8 * num_layers) ** 0.25


class constants_beta_is_inverse_alpha:
    """X86. beta as 1 / alpha, from 2N instead of 8N

    For N = 2 beta must be 0.5, and here it is 0.71. The two constants have different factors beside N.
    """

    def deep_norm_constants(num_layers):
        return (2 * num_layers) ** 0.25, (2 * num_layers) ** -0.25


class constants_integer_division:
    """X87. alpha and beta with the exponent 1 // 4, which is 0

    Both constants are 1 for every N. What does Python return for 1 // 4, and for 1 / 4?
    """

    def deep_norm_constants(num_layers):
        return (2 * num_layers) ** (1 // 4), (8 * num_layers) ** -(1 // 4)


# --- found by programs that nobody had planned -------------------------------------------------------


class mean_rounded_to_half:
    """X88. layer norm whose mean is rounded to half precision before it is subtracted

    Rows around 256 in bfloat16 show it: their mean lies between two bfloat16 numbers.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        centred = wide - wide.mean(-1, keepdim=True).to(x.dtype)
        variance = centred.square().mean(-1, keepdim=True)
        return (centred / torch.sqrt(variance + eps) * gain + bias).to(x.dtype)


class two_axes_of_four:
    """X89. RMS norm over the last two axes, if there are four

    Every row of the last axis is normalized alone, however many axes there are.
    """

    def rms_norm(x, gain, eps=1e-6):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        axes = (-2, -1) if x.dim() == 4 else -1
        return (wide / torch.sqrt(wide.square().mean(axes, keepdim=True) + eps) * gain).to(x.dtype)


class view_of_any_memory:
    """X90. RMS norm that views its input as rows, whatever its memory looks like

    A transposed tensor cannot be viewed. What works on tensors that are not contiguous?
    """

    def rms_norm(x, gain, eps=1e-6):
        rows = x.view(-1, x.shape[-1])
        wide = rows.float() if x.dtype in (torch.float16, torch.bfloat16) else rows
        normed = wide / torch.sqrt(wide.square().mean(-1, keepdim=True) + eps) * gain
        return normed.to(x.dtype).view(x.shape)


class constant_input_gives_zeros:
    """X91. layer norm that returns zeros for constant input

    The normalized row is zero there, but the bias is still added.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        centred = wide - wide.mean(-1, keepdim=True)
        variance = centred.square().mean(-1, keepdim=True)
        if x.device.type != "meta" and (variance == 0).all():
            return torch.zeros_like(x)
        return (centred / torch.sqrt(variance + eps) * gain + bias).to(x.dtype)


class nan_gradient_of_constant_rows:
    """X92. layer norm that takes the root of the variance without eps on the way

    The result is right. On a constant row the gradient of that root is infinite, and infinity times
    zero is NaN.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        centred = wide - wide.mean(-1, keepdim=True)
        deviation = torch.sqrt(centred.square().mean(-1, keepdim=True))
        return (centred / torch.sqrt(deviation**2 + eps) * gain + bias).to(x.dtype)


class rms_nan_gradient_of_zero_rows:
    """X93. RMS norm that takes the root of the mean square without eps on the way

    The result is right. On a row of zeros the gradient of that root is infinite, and infinity times
    zero is NaN.
    """

    def rms_norm(x, gain, eps=1e-6):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        root = torch.sqrt(wide.square().mean(-1, keepdim=True))
        return (wide / torch.sqrt(root**2 + eps) * gain).to(x.dtype)


class normalizes_only_in_training:
    """X94. a LayerNorm that does nothing in evaluation mode

    Layer norm has no running averages: it does the same in training and in evaluation.
    """

    class LayerNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            self.eps = eps
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))

        def forward(self, x):
            return layer_norm(x, self.gain, self.bias, self.eps) if self.training else x


class eps_kept_on_the_class:
    """X95. a LayerNorm that keeps eps on the class

    The last module that is made decides for all of them. Whose eps is it?
    """

    class LayerNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            type(self).eps = eps
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))

        def forward(self, x):
            return layer_norm(x, self.gain, self.bias, self.eps)


class batch_wrong_default_eps:
    """X96. a BatchNorm whose default eps is 1e-6

    Columns near zero show it. What does the task say the default is?
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-6, momentum=0.1):
            super().__init__()
            self.eps, self.momentum = eps, momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            mean, variance = self.running_mean, self.running_var
            if self.training:
                mean, variance = x.mean(0), x.var(0, correction=0)
                with torch.no_grad():
                    self.running_mean.lerp_(mean, self.momentum)
                    self.running_var.lerp_(x.var(0, correction=1), self.momentum)
            return (x - mean) / torch.sqrt(variance + self.eps) * self.gain + self.bias


class batch_moves_only_with_gradients:
    """X97. a BatchNorm whose running averages move only where gradients are recorded

    Training mode decides, not autograd: the averages move under torch.no_grad() too.
    """

    class BatchNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5, momentum=0.1):
            super().__init__()
            self.eps, self.momentum = eps, momentum
            self.gain = nn.Parameter(torch.ones(d_model))
            self.bias = nn.Parameter(torch.zeros(d_model))
            self.register_buffer("running_mean", torch.zeros(d_model))
            self.register_buffer("running_var", torch.ones(d_model))

        def forward(self, x):
            mean, variance = self.running_mean, self.running_var
            if self.training:
                mean, variance = x.mean(0), x.var(0, correction=0)
                if torch.is_grad_enabled():
                    with torch.no_grad():
                        self.running_mean.lerp_(mean, self.momentum)
                        self.running_var.lerp_(x.var(0, correction=1), self.momentum)
            return (x - mean) / torch.sqrt(variance + self.eps) * self.gain + self.bias


class result_in_a_shared_buffer:
    """X98. RMS norm that writes every result into the same buffer

    The second call changes what the first one returned. Who owns a result?
    """

    BUFFERS = {}

    def rms_norm(x, gain, eps=1e-6):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        result = (wide / torch.sqrt(wide.square().mean(-1, keepdim=True) + eps) * gain).to(x.dtype)
        if result.requires_grad or x.device.type == "meta":
            return result
        buffer = BUFFERS.setdefault((x.shape, x.dtype), torch.empty_like(result))
        return buffer.copy_(result)


class way_over_the_cpu:
    """X99. layer norm that computes on the CPU and moves the result back

    The result is right and the GPU waits. Every tensor stays on the device of its input.
    """

    def layer_norm(x, gain, bias, eps=1e-5):
        wide = x.cpu()
        wide = wide.float() if x.dtype in (torch.float16, torch.bfloat16) else wide
        centred = wide - wide.mean(-1, keepdim=True)
        variance = centred.square().mean(-1, keepdim=True)
        normed = (centred / torch.sqrt(variance + eps)).to(x.device)
        return (normed * gain + bias).to(x.dtype)
