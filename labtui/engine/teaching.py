"""What a trained model makes of all samples, for students of it; and where a student says what its teacher
says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from labtui.data import Dataset
from labtui.engine.loop import Loop
from labtui.engine.metrics import Confusion
from labtui.engine.objective import Objective
from labtui.engine.samples import Samples
from labtui.errors import TrainingError
from labtui.zoo.parts import pool


def check(dataset: Dataset, aim: Objective) -> None:
    """See to it that students can follow a teacher that learns this.

    Raises:
        TrainingError: the samples have no names, or the teacher does not tell classes apart.
    """
    if dataset.names is None or dataset.task != "classes" or aim.kept != "predictions":
        raise TrainingError(
            "error",
            "checkpoints.teacher = true needs a classifier, and data whose samples have names (Dataset.names) "
            "that a student finds them by: leave it out",
        )


def keep(loop: Loop, held_out: Sequence[str], classes: list[str]) -> None:
    """Keep what the recipe asks for of the weights that the model has now: the artifact `teacher`; and of a
    student's, `agreement`."""
    dataset = loop.train.shelf.dataset
    if loop.recipe.checkpoints.teacher:
        loop.run.artifact("teacher", thoughts(loop))
    if "teacher_logits" not in dataset.extras:
        return
    taught = dataset.extras["teacher_logits"].argmax(1).to(loop.device)
    found: dict[str, Any] = {"classes": classes}
    for split in held_out:
        _, outputs = loop.predict(split, keep=True)
        counts = Confusion(len(classes)).to(loop.device)
        counts.update(torch.cat(outputs), taught[loop.parts.samples[split].index.to(loop.device)])
        found[split] = {"agreement": counts.scores()["acc"], **counts.report(classes)}
    loop.run.artifact("agreement", found)


def thoughts(loop: Loop) -> dict[str, Any]:
    """Of all N samples, in evaluation mode: `names` (N,), `logits` (N, classes), and of a model that shows its
    hidden layers `states` (N, layers, width), each the mean of a sample's own frames."""
    shelf, model = loop.train.shelf, loop.parts.model.eval()
    everything = Samples(shelf, torch.arange(len(shelf.dataset)))
    logits, states = [], []
    with torch.no_grad():
        for batch in everything.batches(loop.pieces.without_gradient()):
            if not hasattr(model, "expose"):
                logits.append(
                    model(batch.x, batch.lengths) if loop.parts.objective.lengths else model(batch.x)
                )
                continue
            seen = model.expose(batch.x, batch.lengths)  # type: ignore[operator]
            logits.append(seen.logits)
            states.append(torch.stack([pool(state, seen.lengths, "mean") for state in seen.states], 1))
    return {
        "names": np.array(shelf.dataset.names),
        "logits": torch.cat(logits).float().cpu().numpy(),
        **({"states": torch.cat(states).float().cpu().numpy()} if states else {}),
    }
