"""Whether the rules of LRP reach all that a network computes, and whether relevance adds up between its layers."""

import torch

from . import graph

#: What autograd may do between the layers that follow a rule: entries are moved, copied, dropped or compared there, so
#: that relevance goes back by the way that values came. ReLU is among it: where it is 0, so is the relevance.
MOVES = frozenset(
    ("AccumulateGrad", "AdaptiveMaxPool2D", "Alias", "AsStrided", "Cat", "Clone", "Expand", "Flip", "Identity", "Index")
    + ("IndexSelect", "MaxPool1DWithIndices", "MaxPool2DWithIndices", "MaxPool3DWithIndices", "Permute", "PixelShuffle")
    + ("PixelUnshuffle", "Relu", "ReshapeAlias", "Roll", "Select", "Slice", "Split", "SplitWithSizes", "Squeeze")
    + ("Stack", "T", "ToCopy", "Transpose", "Unbind", "UnsafeSplit", "UnsafeView", "Unsqueeze", "View")
)
#: Share of the relevance that flows that may be missing or too much for an image, by rounding alone.
TOLERANCE = 1e-5


class Watch:
    """The layers that follow a rule during one pass: where each stands in the graph, and what it does to the sum of R.

    Σ R at the input = z − Σ over the layers (Σ R at its output − Σ R at its input): what biases and ε take is what
    the layers take, and nothing may be lost or won between them. Hooks only read; ``with`` removes them.

    Args:
        layers: modules with a rule, each called at most once in a pass, those of ``free`` apart.
        free: types of layers whose rule looks at nothing but the relevance (activations).
    """

    def __init__(self, layers, *, free):
        self.layers, self.free = list(layers), free
        self.handles = []
        self.start(0)

    def start(self, n):
        """Forget the pass before; the next is one of ``n`` images."""
        self.n, self.entries, self.ways, self.wrong = n, {}, {}, None
        self.taken = self.flow = torch.zeros(n, dtype=torch.float64)
        self.rate = TOLERANCE

    def __enter__(self):
        for layer in self.layers:
            self.handles.append(layer.register_forward_pre_hook(self._enters, prepend=True))
            self.handles.append(layer.register_forward_hook(self._leaves))
        return self

    def __exit__(self, *_):
        for handle in self.handles:
            handle.remove()

    def _enters(self, module, inputs):
        if not inputs:
            raise ValueError(f"LRP needs layers that are called by position; a {type(module).__name__} is by keyword")
        if not (torch.is_tensor(inputs[0]) and inputs[0].requires_grad):
            return None
        if id(module) in self.entries and not isinstance(module, self.free):
            self.wrong = f"calls one {type(module).__name__} twice"
        if len(inputs[0]) != self.n:
            self.wrong = f"hands {len(inputs[0])} rows to a {type(module).__name__} for {self.n} images"
            return None
        x = inputs[0].view_as(inputs[0])
        x.register_hook(lambda relevance: self._count(-relevance))
        self.entries[id(module)] = graph.edge(x)
        return (x, *inputs[1:])

    def _leaves(self, module, inputs, output):
        if torch.is_tensor(output) and output.requires_grad and id(module) in self.entries:
            output.register_hook(self._count)
            self.ways[graph.edge(output)] = self.entries[id(module)]

    def _count(self, relevance):
        parts = relevance.detach().flatten(1)
        self.rate = max(self.rate, 8 * torch.finfo(parts.dtype).eps)
        self.taken = self.taken + parts.sum(1, dtype=torch.float64).cpu()
        self.flow = torch.maximum(self.flow, parts.abs().sum(1, dtype=torch.float64).cpu())

    def reached(self, logits, name):
        """Check that nothing but :data:`MOVES` happens between the layers.

        Raises:
            ValueError: the network computes something that no rule reaches, calls a layer twice, or mixes images.
        """

        if self.wrong:
            raise ValueError(f"LRP needs a module for each layer and a row for each image; {name} {self.wrong}")

        def leads(at):
            return (self.ways[at],) if at in self.ways else at[0].next_functions

        between = graph.below(graph.edge(logits), leads) - self.ways.keys()
        found = {graph.operation(node) for node, _ in between}
        if found - MOVES:
            raise ValueError(
                f"LRP would not conserve relevance, or not share it out by its rule: {name} computes"
                f" {', '.join(sorted(found - MOVES))} outside the modules that rules are for; make a module of each"
                " (zennit.layer.Sum, nn.AdaptiveAvgPool2d, nn.Linear, …), or hand in a model whose attributes"
                " normalised and network split off what comes before"
            )

    def conserved(self, logit, relevance):
        """Check that relevance adds up for every image.

        Args:
            logit: z of the class explained, (N,).
            relevance: at the input, (N, …).

        Raises:
            ValueError: beyond :data:`TOLERANCE` (8 eps in half precision) of the largest Σ |R| at any layer.
        """
        logit = logit.detach().double().cpu()
        expected, found = logit - self.taken, relevance.flatten(1).sum(1, dtype=torch.float64).cpu()
        rate = max(self.rate, 8 * torch.finfo(relevance.dtype).eps)
        wrong = ~((expected - found).abs() <= rate * torch.maximum(self.flow, logit.abs()))
        if wrong.any():
            k = int(wrong.int().argmax())
            raise ValueError(
                f"LRP did not conserve relevance for {int(wrong.sum())} of {len(wrong)} images: that of image {k} adds"
                f" up to {float(found[k]):.6g} where the logit, less what biases and epsilon take, leaves"
                f" {float(expected[k]):.6g}; the network computes something that no rule reaches"
            )
