"""Named wrong programs of the lora exercise.

Each class is a namespace: what it defines replaces the definitions of the same name in a right lora.py. What is
derived from a class of its own name adds to the right one. The first line of a docstring completes
"this equals ...", the rest is shown to the student.
"""

import math

import torch
from torch import nn

# --- start values (L01, L13) ------------------------------------------------------------------


class b_random:
    """L01. an adapter whose B is random at first

    A freshly adapted model no longer answers what it answered before. Which product has to vanish before
    the first step, and which factor can make it do so?
    """

    class LoRALayer(LoRALayer):
        def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
            super().__init__(in_dim, out_dim, rank, alpha, dropout)
            self.B = nn.Parameter(torch.randn(rank, out_dim) / math.sqrt(rank))


class plain_tensors:
    """L13. an adapter whose A and B are plain tensors

    An optimizer that asks for parameters() finds none, and the state dict is empty. How does a module get
    to know which of its tensors are to be learned?
    """

    class LoRALayer(LoRALayer):
        def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
            super().__init__(in_dim, out_dim, rank, alpha, dropout)
            del self.A, self.B
            self.A = torch.randn(in_dim, rank, requires_grad=True)
            self.B = torch.zeros(rank, out_dim, requires_grad=True)


class both_zero:
    """X01. an adapter whose A and B are both zero at first

    Such an adapter never learns: the gradient of each factor is a product with the other one. What is the
    gradient of B if A is zero?
    """

    class LoRALayer(LoRALayer):
        def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
            super().__init__(in_dim, out_dim, rank, alpha, dropout)
            self.A = nn.Parameter(torch.zeros(in_dim, rank))


class a_always_the_same:
    """X02. adapters that all start with the same A

    A seed is set where the layer is made, so every layer draws the same numbers. Who should decide about
    seeds: a layer, or the program that builds the model?
    """

    class LoRALayer(LoRALayer):
        def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
            torch.manual_seed(0)
            super().__init__(in_dim, out_dim, rank, alpha, dropout)


class any_rank_accepted:
    """X03. an adapter that does not refuse a rank below 1

    Rank 0 divides by zero, and a negative rank fails somewhere inside torch. What does the task say is
    raised, and where?
    """

    class LoRALayer(nn.Module):
        def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
            super().__init__()
            rank = max(rank, 1)
            self.scale = alpha / rank
            self.dropout = nn.Dropout(dropout)
            self.A = nn.Parameter(torch.randn(in_dim, rank) / math.sqrt(rank))
            self.B = nn.Parameter(torch.zeros(rank, out_dim))

        def forward(self, x):
            return self.dropout(x) @ self.A @ self.B * self.scale

        def delta(self):
            return (self.A @ self.B).T * self.scale


# --- the factor (L03, L04, L05) ---------------------------------------------------------------


class no_factor:
    """L03. an update without the factor alpha / rank

    With alpha = 16 and rank = 4 the update is a quarter of what it should be. Where is alpha used?
    """

    class LoRALayer(LoRALayer):
        def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
            super().__init__(in_dim, out_dim, rank, alpha, dropout)
            self.scale = 1.0


class dora_no_factor:
    """L03. DoRA whose update is added without its factor

    With scale = 1 it is right. Where is scale used?
    """

    def dora_weight(weight, a, b, scale, magnitude):
        adapted = weight + (a @ b).T
        return adapted * (magnitude / adapted.norm(dim=1))[:, None]


class alpha_alone:
    """L04. an update scaled by alpha alone

    Some courses write it so. Here the factor is a quotient, so that another rank does not ask for another
    learning rate: what is alpha divided by?
    """

    class LoRALayer(LoRALayer):
        def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
            super().__init__(in_dim, out_dim, rank, alpha, dropout)
            self.scale = alpha


class rank_over_alpha:
    """L05. an update scaled by rank / alpha

    The quotient is upside down. Should a larger alpha make the update stronger or weaker?
    """

    class LoRALayer(LoRALayer):
        def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
            super().__init__(in_dim, out_dim, rank, alpha, dropout)
            self.scale = rank / alpha


class alpha_over_root_of_rank:
    """L05. an update scaled by alpha / sqrt(rank)

    That is the convention of rsLoRA. Which one does this task state?
    """

    class LoRALayer(LoRALayer):
        def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
            super().__init__(in_dim, out_dim, rank, alpha, dropout)
            self.scale = alpha / math.sqrt(rank)


class factor_shared:
    """X04. adapters that share one factor, that of the adapter made last

    A second layer with another alpha changes what the first one answers. Does the factor belong to the class
    or to the instance?
    """

    class LoRALayer(LoRALayer):
        def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
            super().__init__(in_dim, out_dim, rank, alpha, dropout)
            del self.scale
            type(self).scale = alpha / rank


# --- gradients, frozen base (L06) -------------------------------------------------------------


class base_trainable:
    """L06. an adapted layer whose base still learns

    The point of the method is that the base needs no gradients. Which parameters require them after the
    layer was wrapped?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def __init__(self, linear, rank, alpha, dropout=0.0):
            super().__init__(linear, rank, alpha, dropout)
            linear.requires_grad_(True)


class bias_trainable:
    """L06. an adapted layer whose bias still learns

    The weight is frozen, but a linear layer has a second parameter. What does training do to it?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def __init__(self, linear, rank, alpha, dropout=0.0):
            super().__init__(linear, rank, alpha, dropout)
            if linear.bias is not None:
                linear.bias.requires_grad = True


class frozen_by_detaching:
    """L06. an adapted layer that cuts the base out of the graph

    The base gets no gradient, but neither do the layers below it, as far as they are reached through the base. Is it
    the result of the base that is to be constant, or its weights?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def forward(self, x):
            base = self.linear(x).detach()
            return base if self.merged else base + self.lora(x)


class qlora_bias_trainable:
    """L06. QLoRA whose bias still learns

    Only A and B are parameters in the task. As what is the bias to be kept?
    """

    class QLoRALinear(QLoRALinear):
        def __init__(self, linear, rank, alpha, dropout=0.0):
            super().__init__(linear, rank, alpha, dropout)
            if linear.bias is not None:
                del self.bias
                self.bias = nn.Parameter(linear.bias.detach().clone())


class input_detached:
    """X05. an adapter that cuts its input out of the graph

    Layers below an adapter learn through it as well. Does the update depend on x?
    """

    class LoRALayer(LoRALayer):
        def forward(self, x):
            return super().forward(x.detach())


class a_out_of_graph:
    """X06. an adapter that uses A outside the graph

    A never gets a gradient. Is the tensor that you multiply with still the parameter?
    """

    class LoRALayer(LoRALayer):
        def forward(self, x):
            return self.dropout(x) @ self.A.data @ self.B * self.scale


# --- dropout (L15) ----------------------------------------------------------------------------


class dropout_on_base:
    """L15. an adapted layer whose base reads the dropped input too

    In training the frozen base answers something else than before. Which of the two paths has the dropout in
    the task?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def forward(self, x):
            if self.merged:
                return self.linear(x)
            x = self.lora.dropout(x)
            return self.linear(x) + x @ self.lora.A @ self.lora.B * self.lora.scale


class dropout_in_evaluation:
    """L15. an adapter that drops in evaluation mode too

    Two calls in evaluation differ. Which attribute of a module says whether it is in training?
    """

    class LoRALayer(LoRALayer):
        def forward(self, x):
            x = nn.functional.dropout(x, self.dropout.p)
            return x @ self.A @ self.B * self.scale


class dropout_after_a:
    """X07. an adapter that drops between A and B

    Whole ranks vanish instead of features of x. On which side of A does dropout stand?
    """

    class LoRALayer(LoRALayer):
        def forward(self, x):
            return self.dropout(x @ self.A) @ self.B * self.scale


class dropout_not_scaled:
    """X08. an adapter whose kept features are not divided by 1 - p

    In training the update is weaker, on average, than in evaluation. What makes up for the features that are
    missing?
    """

    class LoRALayer(LoRALayer):
        def forward(self, x):
            if self.training:
                x = x * (torch.rand_like(x) >= self.dropout.p)
            return x @ self.A @ self.B * self.scale


class dropout_in_place:
    """X09. an adapter that drops in the caller's tensor

    The base reads the same x, which has holes after the call. May a layer change what it is given?
    """

    class LoRALayer(LoRALayer):
        def forward(self, x):
            x.data.copy_(self.dropout(x.data))
            return x @ self.A @ self.B * self.scale


# --- the adapted layer ------------------------------------------------------------------------


class linear_copied:
    """X10. an adapted layer that keeps a copy of the linear layer

    Memory doubles, and weights that are shared with other layers are no longer shared. Is `layer.linear` the
    object that was given?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def __init__(self, linear, rank, alpha, dropout=0.0):
            import copy

            super().__init__(copy.deepcopy(linear), rank, alpha, dropout)


class weight_copied:
    """X11. an adapted layer that gives the linear layer a copy of its weight

    The layer is the same, but an embedding that shared its weight no longer does. Which objects are to be
    frozen?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def __init__(self, linear, rank, alpha, dropout=0.0):
            super().__init__(linear, rank, alpha, dropout)
            linear.weight = nn.Parameter(linear.weight.detach().clone(), requires_grad=False)


class adapter_of_wrong_device:
    """X12. adapters that take over the dtype, but not the device

    On a machine with a GPU the adapter stays on the CPU. What else has the weight beside its dtype?
    """

    def _adapter_for(linear, rank, alpha, dropout):
        lora = LoRALayer(linear.in_features, linear.out_features, rank, alpha, dropout)
        return lora.to(dtype=linear.weight.dtype)


class mode_not_taken_over:
    """X13. an adapted layer that is in training mode whatever the linear layer was in

    A model in evaluation that gets adapters begins to drop. In which mode is a new module, and which one should it
    be in?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def __init__(self, linear, rank, alpha, dropout=0.0):
            super().__init__(linear, rank, alpha, dropout)
            self.train()


class base_recomputed:
    """X14. an adapted layer that multiplies with the weight instead of calling the layer

    A subclass of nn.Linear, or one with hooks, does more than that product. How is a module asked for its
    result?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def forward(self, x):
            base = nn.functional.linear(x, self.linear.weight, self.linear.bias)
            return base if self.merged else base + self.lora(x)


# --- merging (L08, L09, L11) ------------------------------------------------------------------


class merge_not_transposed:
    """L08. merging that does not transpose the update

    With as many inputs as outputs it even runs. Which axis of linear.weight belongs to the inputs, and which axis of
    A @ B?
    """

    class LoRALayer(LoRALayer):
        def delta(self):
            return self.A @ self.B * self.scale


class merge_reshaped:
    """L08. merging that reshapes the update instead of transposing it

    The shape fits now, but the numbers stand in the wrong places. What is the difference between reshape and
    transpose?
    """

    class LoRALayer(LoRALayer):
        def delta(self):
            return (self.A @ self.B * self.scale).reshape(self.B.shape[1], self.A.shape[0])


class dora_reshaped:
    """L08. DoRA that reshapes the update instead of transposing it

    The shape fits, but the numbers stand in the wrong places. What is the difference between reshape and transpose?
    """

    def dora_weight(weight, a, b, scale, magnitude):
        adapted = weight + scale * (a @ b).reshape(weight.shape)
        return adapted * (magnitude / adapted.norm(dim=1))[:, None]


class merge_without_factor:
    """L09. merging without the factor alpha / rank

    With alpha = rank nothing is seen. Which number does forward multiply with that merge does not?
    """

    class LoRALayer(LoRALayer):
        def delta(self):
            return (self.A @ self.B).T


class merge_subtracts:
    """L09. merging that subtracts the update, and unmerging that adds it

    One undoes the other, so only the merged result shows it. On which side does forward have the update?
    """

    class LoRALayer(LoRALayer):
        def delta(self):
            return -(self.A @ self.B).T * self.scale


class unmerge_only_turns_the_flag:
    """L11. unmerging that leaves the update in the weight

    After a round trip the update counts twice. What did merge change besides the flag?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def unmerge(self):
            self.merged = False


class unmerge_without_factor:
    """L11. unmerging without the factor alpha / rank

    The weight does not come back unless alpha = rank. What exactly was added to it?
    """

    class LinearWithLoRA(LinearWithLoRA):
        @torch.no_grad()
        def unmerge(self):
            if self.merged:
                self.linear.weight -= (self.lora.A @ self.lora.B).T
            self.merged = False


class unmerge_to_the_first_weight:
    """L11. unmerging that restores the weight of the time when the layer was wrapped

    If other weights were loaded in between, they are lost. To which moment should unmerge return?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def __init__(self, linear, rank, alpha, dropout=0.0):
            super().__init__(linear, rank, alpha, dropout)
            self.original = linear.weight.detach().clone()

        @torch.no_grad()
        def unmerge(self):
            if self.merged:
                self.linear.weight.copy_(self.original)
            self.merged = False


class unmerge_with_an_old_update:
    """L11. merging and unmerging with the update of the first merge

    After more training it is no longer the update. When was what you subtract computed?
    """

    class LinearWithLoRA(LinearWithLoRA):
        @torch.no_grad()
        def merge(self):
            if not hasattr(self, "update"):
                self.update = self.lora.delta()
            if not self.merged:
                self.linear.weight += self.update
            self.merged = True

        @torch.no_grad()
        def unmerge(self):
            if self.merged:
                self.linear.weight -= self.update
            self.merged = False


class unmerge_always_subtracts:
    """X15. unmerging that subtracts even if nothing is merged

    Called twice, or before any merge, it damages the weight. What has to be true before something is taken out?
    """

    class LinearWithLoRA(LinearWithLoRA):
        @torch.no_grad()
        def unmerge(self):
            self.linear.weight -= self.lora.delta()
            self.merged = False


class merge_always_adds:
    """X16. merging that adds again at each call

    The second call doubles the update. How does merge know that it was called before?
    """

    class LinearWithLoRA(LinearWithLoRA):
        @torch.no_grad()
        def merge(self):
            self.linear.weight += self.lora.delta()
            self.merged = True


class merged_forward_adds_again:
    """X17. an adapted layer that adds the update although it is merged

    The update counts twice then. Where does the merged layer have it already?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def forward(self, x):
            return self.linear(x) + self.lora(x)


class merge_makes_a_frozen_parameter:
    """X18. merging that puts a new, frozen Parameter in the place of the weight

    Whoever shares the weight, such as an embedding, keeps the old one. Is `linear.weight` the same object as
    before?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def merge(self):
            if not self.merged:
                merged = (self.linear.weight + self.lora.delta()).detach()
                self.linear.weight = nn.Parameter(merged, requires_grad=False)
            self.merged = True


class merge_in_the_graph:
    """X19. merging that is recorded in the graph

    The frozen weight now requires gradients, because A and B do. What tells torch not to record?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def merge(self):
            if not self.merged:
                self.linear.weight += self.lora.delta()
            self.merged = True


class merge_by_mode:
    """X20. a layer that merges itself in evaluation and unmerges itself in training

    loralib does so; here the two methods alone decide. What should train() and eval() change?
    """

    class LinearWithLoRA(LinearWithLoRA):
        def train(self, mode=True):
            super().train(mode)
            self.unmerge() if mode else self.merge()
            return self


# --- counting and freezing (L16) --------------------------------------------------------------


class size_as_a_product:
    """L16. an adapter's size as rank * in_dim * out_dim

    That is more than the layer itself has. What are the shapes of A and of B?
    """

    def adapter_size(in_dim, out_dim, rank):
        return rank * in_dim * out_dim


class counts_everything:
    """L16. a count of all weights, frozen ones included

    A frozen model should count 0. Which weights does training change?
    """

    def count_trainable(model):
        return sum(parameter.numel() for parameter in model.parameters())


class counts_shared_twice:
    """X21. a count in which a shared weight counts once for each layer that uses it

    An embedding that is also the head is one tensor to an optimizer. How do you know that you have seen a parameter
    before?
    """

    def count_trainable(model):
        named = model.named_parameters(remove_duplicate=False)
        return sum(parameter.numel() for _, parameter in named if parameter.requires_grad)


class counts_by_address:
    """X22. a count that knows shared weights by their place in memory

    On the meta device every tensor has the same place, 0. Are two names one Parameter, or are they not?
    """

    def count_trainable(model):
        seen = {}
        for parameter in model.parameters():
            if parameter.requires_grad:
                seen[parameter.data_ptr()] = parameter.numel()
        return sum(seen.values())


# --- replacing --------------------------------------------------------------------------------


class replaces_direct_children_only:
    """X23. replacing that does not go into blocks

    Layers inside blocks are missed. How deep can a layer lie?
    """

    def _places(model):
        return [(name, model, name, child) for name, child in model._modules.items() if isinstance(child, nn.Linear)]


class targets_as_substrings:
    """X24. replacing of every layer whose name contains a target

    The target "q" also hits "seq". Is a name to contain the target, or to be it?
    """

    right_replace = replace_linear_with_lora

    def replace_linear_with_lora(model, rank, alpha, targets=None, dropout=0.0):
        if targets is not None:
            wanted = list(targets)
            names = [name for name, part in model.named_modules() if isinstance(part, nn.Linear)]
            last = {name.rpartition(".")[2] for name in names}
            targets = [name for name in last if any(target in name for target in wanted)]
        return right_replace(model, rank, alpha, targets, dropout)


class empty_targets_as_none:
    """X25. replacing that takes an empty list of targets for no list

    No target means no layer, None means every layer. What is `not []`?
    """

    right_replace = replace_linear_with_lora

    def replace_linear_with_lora(model, rank, alpha, targets=None, dropout=0.0):
        return right_replace(model, rank, alpha, targets or None, dropout)


class subclasses_left_out:
    """X26. replacing that leaves out subclasses of nn.Linear

    A layer of a subclass is a linear layer to the task. What is the difference between comparing types and
    isinstance?
    """

    right_places = _places

    def _places(model):
        return [place for place in right_places(model) if type(place[3]) is nn.Linear]


class adapts_twice:
    """X27. replacing that adapts what is inside an adapted layer again

    A second call wraps the frozen base anew. How do you recognize a layer that has its adapter already?
    """

    def _places(model):
        return [
            (f"{path}.{name}".lstrip("."), parent, name, child)
            for path, parent in model.named_modules(remove_duplicate=False)
            for name, child in parent._modules.items()
            if isinstance(child, nn.Linear)
        ]


class shared_layer_adapted_apart:
    """X28. replacing that gives each place of a shared layer an adapter of its own

    The base is shared and the updates are not. What was one layer before should be how many after?
    """

    def replace_linear_with_lora(model, rank, alpha, targets=None, dropout=0.0):
        if isinstance(model, nn.Linear):
            raise ValueError("a linear layer")
        wanted = None if targets is None else set(targets)
        places = [place for place in _places(model) if wanted is None or place[2] in wanted]
        for _path, parent, name, child in places:
            setattr(parent, name, LinearWithLoRA(child, rank, alpha, dropout))
        return sorted(path for path, *_rest in places)


class shared_layer_replaced_once:
    """X29. replacing that reaches only the first place of a shared layer

    named_modules gives each module once. In how many places does the layer stand?
    """

    right_places = _places

    def _places(model):
        first = {}
        for place in right_places(model):
            first.setdefault(place[3], place)
        return list(first.values())


class bare_layer_accepted:
    """X30. replacing that says nothing about a model that is itself a linear layer

    The caller believes that the model is adapted now. Can a function replace the object that it was given?
    """

    right_replace = replace_linear_with_lora

    def replace_linear_with_lora(model, rank, alpha, targets=None, dropout=0.0):
        if isinstance(model, nn.Linear):
            return []
        return right_replace(model, rank, alpha, targets, dropout)


# --- saving and loading -----------------------------------------------------------------------


class state_of_references:
    """X31. a state whose tensors are the parameters' own memory

    Training on changes what was saved. Do two tensors that share memory differ later?
    """

    def adapter_state_dict(model):
        return {key: parameter.detach() for key, parameter in _adapters(model).items()}


class adapters_by_their_name:
    """X32. a state of everything that has "lora" in its name

    A layer called "flora" is no adapter, and an adapter may have any name. How do you know an adapter for
    sure?
    """

    def _adapters(model):
        named = model.named_parameters(remove_duplicate=False)
        return {name: parameter for name, parameter in named if "lora" in name}


class shared_adapters_saved_once:
    """X33. a state in which a shared adapter has only one of its keys

    model.state_dict() has it under each of its names. What do the walks of torch do with what they have seen
    before?
    """

    def _adapters(model):
        return {
            f"{path}.{name}".lstrip("."): parameter
            for path, module in model.named_modules()
            if isinstance(module, LoRALayer)
            for name, parameter in module.named_parameters()
        }


class loads_what_fits:
    """X34. loading that ignores missing and unexpected keys

    A wrong file loads without a word. When should a person hear of it?
    """

    def load_adapters(model, state):
        adapters = _adapters(model)
        for key in adapters.keys() & state.keys():
            if adapters[key].shape != state[key].shape:
                raise ValueError(key)
        with torch.no_grad():
            for key in adapters.keys() & state.keys():
                adapters[key].copy_(state[key])


class loads_by_broadcasting:
    """X35. loading that does not compare shapes

    copy_ spreads a column over a matrix without a word. When are two tensors of the same kind?
    """

    def load_adapters(model, state):
        adapters = _adapters(model)
        wrong = sorted(adapters.keys() ^ state.keys())
        if wrong:
            raise ValueError(", ".join(wrong))
        with torch.no_grad():
            for key, parameter in adapters.items():
                try:
                    parameter.copy_(state[key])
                except RuntimeError:
                    raise ValueError(", ".join(key for key in adapters)) from None


class loads_before_it_looks:
    """X36. loading that copies until it meets an error

    The model is left half loaded. What has to be known before the first copy?
    """

    def load_adapters(model, state):
        adapters = _adapters(model)
        wrong = sorted(adapters.keys() ^ state.keys())
        with torch.no_grad():
            for key in adapters.keys() & state.keys():
                if adapters[key].shape == state[key].shape:
                    adapters[key].copy_(state[key])
                else:
                    wrong.append(key)
        if wrong:
            raise ValueError(", ".join(wrong))


class loads_in_order_only:
    """X37. loading that refuses the right keys in another order

    A mapping from keys to tensors says nothing by its order. What are two sets of keys compared as?
    """

    right_load = load_adapters

    def load_adapters(model, state):
        if list(state) != list(_adapters(model)):
            raise ValueError(f"expected {list(_adapters(model))}, got {list(state)}")
        right_load(model, state)


class saving_unmerges:
    """X38. saving that unmerges the model

    Whoever saves a model goes on using it as it was. Are A and B touched by merging at all?
    """

    right_state = adapter_state_dict

    def adapter_state_dict(model):
        for module in model.modules():
            if isinstance(module, LinearWithLoRA):
                module.unmerge()
        return right_state(model)


class loads_by_reference:
    """X39. loading that lets parameters use the state's memory, dtype included

    The state belongs to the caller, and its dtype is not the model's. Is it copied?
    """

    right_load = load_adapters

    def load_adapters(model, state):
        right_load(model, state)
        for key, parameter in _adapters(model).items():
            parameter.data = state[key].data


# --- int8 (L18) -------------------------------------------------------------------------------


class int8_one_scale:
    """L18. int8 with one scale for the whole tensor

    One row of large weights takes all digits from the others. Over what is the largest magnitude to be taken?
    """

    def quantize_int8(weight, limit=None):
        weight = weight.detach()
        largest = weight.abs().amax().expand(weight.shape[0])
        if limit is not None:
            largest = largest.clamp(max=limit)
        scales = torch.where(largest > 0, largest / 127, 1.0)
        return (weight / scales[:, None]).round().clamp(-127, 127).to(torch.int8), scales


class int8_not_clamped:
    """L18. int8 without clamping

    What is beyond the limit wraps around and changes its sign. What is 128 as an int8?
    """

    def quantize_int8(weight, limit=None):
        weight = weight.detach()
        largest = weight.abs().amax(dim=1)
        if limit is not None:
            largest = largest.clamp(max=limit)
        scales = torch.where(largest > 0, largest / 127, 1.0)
        return (weight / scales[:, None]).round().to(torch.int32).to(torch.int8), scales


class int8_halves_up:
    """L18. int8 in which halves are rounded up

    Between two whole numbers the even one is to be taken. What does floor(x + 0.5) make of 0.5 and of 1.5?
    """

    right_quantize = quantize_int8

    def quantize_int8(weight, limit=None):
        _, scales = right_quantize(weight, limit)
        whole = torch.floor(weight.detach() / scales[:, None] + 0.5)
        return whole.clamp(-127, 127).to(torch.int8), scales


class int8_cut_off:
    """L18. int8 by cutting off the fraction

    The error is twice as large, and always towards zero. What does a conversion to an integer type do?
    """

    right_quantize = quantize_int8

    def quantize_int8(weight, limit=None):
        _, scales = right_quantize(weight, limit)
        return (weight.detach() / scales[:, None]).clamp(-127, 127).to(torch.int8), scales


class int8_zero_over_zero:
    """L18. int8 with scale 0 for a row of zeros

    0 / 0 is NaN, and what NaN becomes as an int8 is up to the machine. What does the task say of a row of
    zeros?
    """

    def quantize_int8(weight, limit=None):
        weight = weight.detach()
        largest = weight.abs().amax(dim=1)
        if limit is not None:
            largest = largest.clamp(max=limit)
        scales = largest / 127
        return (weight / scales[:, None]).round().clamp(-127, 127).to(torch.int8), scales


class int8_smallest_scale:
    """X40. int8 whose scales are at least 1e-8

    Rows of very small weights, which training may have, lose digits or vanish. Which rows need a rule of their
    own?
    """

    def quantize_int8(weight, limit=None):
        weight = weight.detach()
        largest = weight.abs().amax(dim=1)
        if limit is not None:
            largest = largest.clamp(max=limit)
        scales = (largest / 127).clamp(min=1e-8)
        return (weight / scales[:, None]).round().clamp(-127, 127).to(torch.int8), scales


class int8_limit_as_range:
    """X41. int8 in which the limit is the range of every row

    Rows that stay below the limit lose digits. Which of two numbers decides about a row?
    """

    def quantize_int8(weight, limit=None):
        weight = weight.detach()
        largest = weight.abs().amax(dim=1)
        if limit is not None:
            largest = torch.full_like(largest, limit)
        scales = torch.where(largest > 0, largest / 127, 1.0)
        return (weight / scales[:, None]).round().clamp(-127, 127).to(torch.int8), scales


class int8_in_place:
    """X42. int8 that divides the caller's weight

    The weight that was given holds whole numbers afterwards. May the function change what it is given?
    """

    def quantize_int8(weight, limit=None):
        largest = weight.detach().abs().amax(dim=1)
        if limit is not None:
            largest = largest.clamp(max=limit)
        scales = torch.where(largest > 0, largest / 127, 1.0)
        whole = weight.data.div_(scales[:, None]).round_().clamp_(-127, 127)
        return whole.to(torch.int8), scales


# --- QLoRA, DoRA, LoRA+ (L17) -----------------------------------------------------------------


class qlora_quantizes_adapters:
    """L17. QLoRA that quantizes the adapter as well

    What is to be learned in small steps is rounded to whole ones. Which part of the layer is large enough to be worth
    it?
    """

    class QLoRALinear(QLoRALinear):
        def forward(self, x):
            a, b = (dequantize(*quantize_int8(factor)) for factor in (self.lora.A, self.lora.B))
            base = nn.functional.linear(x, dequantize(self.quantized, self.scales), self.bias)
            return base + x @ a @ b * self.lora.scale


class qlora_base_not_quantized:
    """L17. QLoRA that computes with the base as it was

    The int8 copy is stored and never used. Which weight does forward multiply with?
    """

    class QLoRALinear(QLoRALinear):
        def __init__(self, linear, rank, alpha, dropout=0.0):
            super().__init__(linear, rank, alpha, dropout)
            self.full = linear.weight.detach().clone()

        def forward(self, x):
            return nn.functional.linear(x, self.full, self.bias) + self.lora(x)


class qlora_stores_the_dequantized:
    """X43. QLoRA that dequantizes once and stores the result

    The state dict has a float copy of the weight again. When is the float weight needed, and for how long?
    """

    class QLoRALinear(QLoRALinear):
        def __init__(self, linear, rank, alpha, dropout=0.0):
            super().__init__(linear, rank, alpha, dropout)
            self.register_buffer("weight", dequantize(self.quantized, self.scales))

        def forward(self, x):
            return nn.functional.linear(x, self.weight, self.bias) + self.lora(x)


class dora_norm_of_columns:
    """L17. DoRA with the norm of each column

    The magnitudes belong to the output rows of the weight. Over which axis does a row extend?
    """

    def dora_weight(weight, a, b, scale, magnitude):
        adapted = weight + scale * (a @ b).T
        return adapted / adapted.norm(dim=0, keepdim=True) * magnitude[:, None]


class dora_norm_of_the_base:
    """X44. DoRA that divides by the norm of the base weight

    At the start, with B zero, it is right. Has the adapted row the length of the base row?
    """

    def dora_weight(weight, a, b, scale, magnitude):
        adapted = weight + scale * (a @ b).T
        return adapted * (magnitude / weight.norm(dim=1))[:, None]


class dora_norm_detached:
    """X45. DoRA whose norm is a constant in the backward pass

    The paper proposes it to save memory, in section 4.3. What does this task say about gradients?
    """

    def dora_weight(weight, a, b, scale, magnitude):
        adapted = weight + scale * (a @ b).T
        return adapted * (magnitude / adapted.norm(dim=1).detach())[:, None]


class lora_plus_speeds_up_a:
    """L17. LoRA+ in which A learns faster

    It is the factor that starts at zero that should move faster. Which of the two is it?
    """

    def lora_plus_groups(model, lr, ratio=16.0):
        of_a = {module.A for module in model.modules() if isinstance(module, LoRALayer)}
        trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
        return [
            {"params": [parameter for parameter in trainable if parameter not in of_a], "lr": lr},
            {"params": [parameter for parameter in trainable if parameter in of_a], "lr": ratio * lr},
        ]


class lora_plus_without_the_rest:
    """X46. LoRA+ that leaves out what is no adapter

    A head that is not frozen is never trained. What does the first group have besides A?
    """

    def lora_plus_groups(model, lr, ratio=16.0):
        layers = [module for module in model.modules() if isinstance(module, LoRALayer)]
        slow = [layer.A for layer in layers if layer.A.requires_grad]
        fast = [layer.B for layer in layers if layer.B.requires_grad]
        return [{"params": slow, "lr": lr}, {"params": fast, "lr": ratio * lr}]


class lora_plus_by_name:
    """X47. LoRA+ that takes everything called B for a factor of an adapter

    Other modules may have a parameter of that name. How do you know an adapter for sure?
    """

    def lora_plus_groups(model, lr, ratio=16.0):
        named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
        return [
            {"params": [parameter for name, parameter in named if not name.endswith("B")], "lr": lr},
            {"params": [parameter for name, parameter in named if name.endswith("B")], "lr": ratio * lr},
        ]
