"""A student that learns what a teacher says, and how it got there (Hinton et al. 2015; Romero et al. 2015)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labtui.data import Dataset
from labtui.engine.batch import Batch
from labtui.errors import TrainingError
from labtui.recipe import optim
from labtui.zoo.parts import pool

if TYPE_CHECKING:
    from labtui.zoo.speech import Exposed


class Distillation:
    """soft·KL + hard·cross-entropy + Σ wᵢ·MSE of hidden layers, as in the emotion notebook.

    A student's hidden layer is the mean of its frames, of which only a sample's own count; the teacher's
    is a vector. Of L weights the last belongs to the last hidden layer of both, and so on backwards.

    Raises:
        TrainingError: the data brings no teacher, or one of other classes or fewer layers.
    """

    terms = ("soft", "hard", "hidden")

    def __init__(self, spec: optim.Distillation, dataset: Dataset) -> None:
        self.spec = spec
        for name in ("teacher_logits", *(["teacher_states"] if any(spec.layers) else [])):
            if name not in dataset.extras:
                raise TrainingError(
                    "error", f'loss "distillation" needs {name}, and the data brings none: set data.teacher'
                )
        shape = tuple(dataset.extras["teacher_logits"].shape[1:])
        if shape != (dataset.outputs,):
            raise TrainingError(
                "error", f"the teacher's logits are {shape} a sample, but there are {dataset.outputs} classes"
            )
        self.width = 0
        """Of the teacher's hidden layers."""
        if any(spec.layers):
            states = dataset.extras["teacher_states"]
            if states.ndim != 3:
                raise TrainingError(
                    "error",
                    f"teacher_states is {tuple(states.shape)}, expected (samples, layers, width)",
                )
            there, self.width = states.shape[1:]
            if there < len(spec.layers):
                raise TrainingError(
                    "error",
                    f"loss.layers has {len(spec.layers)} weights, but the teacher shows {there} layers",
                )

    def align(self, model: nn.Module, example: Tensor) -> None:
        """Look at a student's hidden layers. Where the teacher's are of another width, the model gets linear
        maps to them, `aligned`, which are trained with it.

        Args:
            example: (1, *shape) a sample as the model sees it.

        Raises:
            TrainingError: the model shows no hidden layers, or fewer than are to be aligned.
        """
        if not hasattr(model, "expose"):
            raise TrainingError(
                "error",
                'loss "distillation" aligns hidden layers, and this model does not show them: it needs a '
                "method expose(x, lengths) like those of the speech models",
            )
        if not any(weights := self.spec.layers):
            return
        training, student = model.training, cast(Any, model)
        with torch.no_grad():
            widths = [state.shape[2] for state in student.eval().expose(example).states]
        model.train(training)
        if len(widths) < len(weights):
            raise TrainingError(
                "error",
                f"loss.layers has {len(weights)} weights, but the model has {len(widths)} hidden layers",
            )
        mine = widths[-len(weights) :]
        if any(width != self.width for width in mine):
            model.add_module("aligned", nn.ModuleList(nn.Linear(width, self.width) for width in mine))

    def __call__(self, student: Exposed, batch: Batch, maps: nn.ModuleList | None) -> Tensor:
        """(4,): the loss; the divergence and the cross-entropy, not weighted; the weighted errors' sum."""
        spec = self.spec
        soft = F.kl_div(
            F.log_softmax(student.logits / spec.temperature, 1),
            F.log_softmax(batch.extras["teacher_logits"] / spec.temperature, 1),
            log_target=True,
            reduction="batchmean",
        )
        hard = F.cross_entropy(student.logits, batch.y)
        hidden = torch.zeros_like(soft)
        for place, weight in enumerate(spec.layers, -len(spec.layers)):
            if weight:
                mine = pool(student.states[place], student.lengths, "mean")
                its = batch.extras["teacher_states"][:, place]
                mapped: Tensor = mine if maps is None else maps[place](mine)
                hidden = hidden + weight * F.mse_loss(mapped, its)
        return torch.stack([spec.soft * soft + spec.hard * hard + hidden, soft, hard, hidden])
