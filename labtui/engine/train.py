"""One training: builds the parts, runs the loop, scores what came out.

The test split is scored when training has ended by itself (not when it was stopped, since it can go
on): with the weights of `best.pt`, recorded as `test.*` at the best step, where `at_best` looks for
it; and with the last weights, recorded at the last step, and as the fact `last_epoch`. Nothing else
sees it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch

from labtui.engine import baseline, embedding, setup, teaching
from labtui.engine import outputs as outputs_
from labtui.engine.checkpoint import Checkpoints
from labtui.engine.loop import Loop, Parts
from labtui.engine.world import ALONE, World
from labtui.errors import TrainingError
from labtui.recipe.core import Recipe
from labtui.writer import Run

L = TypeVar("L", bound=Loop)

MOST_PREDICTIONS = 2**24
"""Values of one split's outputs that are kept as predictions; of larger outputs none are."""
SHOWN = 8
"""Samples whose reconstruction is kept."""


def train(
    run: Run,
    recipe: Recipe,
    lab: Path,
    asked: Callable[[], str | None],
    result: dict[str, Any],
    world: World = ALONE,
) -> str | None:
    """Train what the recipe describes, going on from `last.pt` if there is one.

    Args:
        run: gets metrics and artifacts.
        lab: relative paths are looked up from here.
        asked: "stop" or "kill" when somebody wants the training to end.
        result: gets `best` and `facts` as they become known.
        world: the processes that train together, each of which calls this.

    Returns:
        None when the training ended by itself, else what was asked.

    Raises:
        LabtuiError: a part cannot be built, or the training cannot go on.
    """
    device = setup.choose_device(recipe.resources)
    code = run.paths.workplace
    material = setup.material(recipe, lab, code)
    if world.size > 1:
        same(material, world)
    parts = setup.parts(recipe, material, device, world)
    world.disperse(recipe.train.seed)
    loop = begin(Loop, run, recipe, material, parts, asked, result)
    try:
        ended = loop.fit()
    finally:
        result["best"] = parts.best[0].facts()
        result["facts"]["accumulate"] = loop.pieces.count
    if ended is None:
        conclude(loop, material.dataset.classes, result)
    return ended


def begin(
    kind: Callable[..., L],
    run: Run,
    recipe: Recipe,
    material: setup.Material,
    parts: Parts,
    asked: Callable[[], str | None],
    result: dict[str, Any],
) -> L:
    """The training as it begins, or as it was left: at `last.pt` if there is one.

    Args:
        kind: makes the loop.
        result: gets `facts`.

    Raises:
        LabtuiError: a checkpoint is broken, or the weights to begin with cannot be had.
    """
    lab, code, world, device = (
        run.paths.lab.root,
        run.paths.workplace,
        parts.world,
        parts.samples["train"].device,
    )
    run.artifact("layers", material.layers)
    run.artifact("data", material.describe(recipe))
    result["facts"] = result.get("facts", {}) | {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        **({"processes": world.size} if world.size > 1 else {}),
        **{name: value for name, value in material.layers.items() if name not in ("rows", "given")},
        "steps_per_epoch": parts.steps,
        **{name: len(samples) for name, samples in parts.samples.items()},
        "baseline": baseline.of(parts, material.dataset),
    }
    checkpoints = Checkpoints(run.paths.checkpoints, recipe.checkpoints.interval, writes=world.rank == 0)
    loop = kind(recipe, parts, run, checkpoints, asked)
    loop.watch.findings.facts = result["facts"]
    state = checkpoints.load("last")
    alike(world, state["step"] if state else None, "last.pt")
    if state:
        loop.load_state_dict(state)
        return loop
    setup.load_weights(recipe, parts.model, lab, code)
    if run.attempt > 1:
        run.void_after(-1)
    if parts.objective.kept == "embeddings":
        embedding.look(loop, 0, "embeddings_untrained", untrained=True)
    return loop


def same(material: setup.Material, world: World) -> None:
    """See to it that all processes train on the same data.

    Raises:
        TrainingError: they do not.
    """
    rows = [material.dataset.y, *material.split.values()]
    told = [hashlib.blake2b(row.contiguous().numpy().tobytes()).hexdigest() for row in rows]
    if any(other != told for other in world.gather(told)):
        raise TrainingError(
            "error",
            "the data set is another one in each process: a factory has to build the same from the same "
            "train.seed, in any order in which it finds files",
        )


def alike(world: World, step: int | None, file: str) -> None:
    """See to it that all processes have read the same checkpoint: on a shared file system one of them
    may not see yet what another has written.

    Raises:
        TrainingError: they have not.
    """
    steps = world.gather(step)
    if len(set(steps)) > 1:
        raise TrainingError(
            "error",
            f"{file} is of another step in each process ({', '.join(map(str, steps))}): the lab's file system "
            "shows each machine other files; resume the run when they agree",
        )


def conclude(loop: Loop, classes: list[str], result: dict[str, Any]) -> None:
    """Score the held-out splits with the last weights and with the best; keep what they say."""
    held_out = [name for name in ("val", "test") if name in loop.parts.samples]
    last = {name: value for split in held_out for name, value in loop.score(split).items()}
    result["facts"]["last_epoch"] = {"epoch": loop.epoch, "step": loop.step, **last}
    of_best(loop, held_out, classes, result)
    if "test" in held_out and result["best"] and result["best"]["step"] != loop.step:
        # After those of the best weights, so that they are the newest.
        loop.run.log({name: last[name] for name in last if name.startswith("test.")}, loop.step)
    loop.watch.conclude(result["best"])


def of_best(loop: Loop, held_out: Sequence[str], classes: list[str], result: dict[str, Any]) -> None:
    """Score the held-out splits with the best weights, if there are any, and keep what the model says."""
    loop.world.wait()  # the first one has written it now
    best = loop.checkpoints.load("best")
    alike(loop.world, best["step"] if best else None, "best.pt")
    if best is None:
        return
    loop.parts.model.load_state_dict(best.pop("model"))
    # What the file says: it is the weights that are scored here.
    result["best"] = {name: best[name] for name in ("metric", "goal", "value", "step", "epoch")}
    if loop.parts.objective.kept == "predictions":
        predictions(loop, held_out, classes, best)
        teaching.keep(loop, held_out, classes)
        return
    for split in held_out:
        scores = loop.score(split)
        if split == "test":
            loop.run.log(scores, best["step"])
    if loop.parts.objective.kept == "embeddings":
        embedding.look(loop, best["step"], "embeddings")
    else:
        reconstructions(loop, held_out[-1])


def predictions(loop: Loop, held_out: Sequence[str], classes: list[str], best: dict[str, Any]) -> None:
    """Score the best weights against the targets, and keep confusion matrix, outputs, and the embedding."""
    values = torch.Size(loop.parts.objective.expected or ()).numel()
    confusion: dict[str, Any] = {"classes": classes, "step": best["step"], "epoch": best["epoch"]}
    found: dict[str, Any] = {}
    figures: dict[str, Any] = {"step": best["step"], "epoch": best["epoch"]}
    seen = embedding.features(loop)
    for split in held_out:
        samples = loop.parts.samples[split]
        features = seen if split == "val" else None
        tally, outputs = loop.predict(split, values * len(samples) <= MOST_PREDICTIONS, features)
        scores = {f"{split}.{name}": value for name, value in tally.scores().items()}
        if split == "test":
            loop.run.log(scores, best["step"])
        confusion[split] = tally.counts.report(classes)
        if outputs:
            said, wanted = torch.cat(outputs), samples.targets
            found[f"{split}_index"] = samples.index.cpu().numpy()
            found[f"{split}_y"] = wanted.cpu().numpy()
            found[f"{split}_scores"] = said.cpu().numpy()
            with loop.watch.budget.spending():
                some = outputs_.some(said, loop.watch.budget.left())
                target = wanted[::some] if wanted.shape == said.shape else None
                figures[split] = outputs_.describe(said[::some], target)
    loop.run.artifact("confusion", confusion)
    if found:
        loop.run.artifact("predictions", found)
        if loop.recipe.train.statistics:
            with loop.watch.budget.spending():
                loop.run.artifact(outputs_.NAME, figures)
    embedding.keep(loop, seen)


def reconstructions(loop: Loop, split: str) -> None:
    """Keep a few samples of a split: what is seen (`x`), what is to be restored (`y`, NaN where nothing is),
    and what the model makes of it (`output`)."""
    samples = loop.parts.samples[split]
    batch = samples.batch(samples.index[:: max(1, len(samples) // SHOWN)][:SHOWN])
    with torch.no_grad():
        _, output = loop.parts.objective(loop.parts.model.eval(), batch)
    rows = {"x": batch.x, "y": batch.y, "output": output}
    loop.run.artifact("reconstructions", {name: value.float().cpu().numpy() for name, value in rows.items()})
