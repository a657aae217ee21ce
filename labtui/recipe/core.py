"""The recipe: one training (or a family of them) as typed tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from labtui.files.goals import Goal
from labtui.recipe import naming, optim
from labtui.recipe.data import DATASETS
from labtui.recipe.models import MODELS
from labtui.recipe.resources import Resources
from labtui.recipe.spec import ModelPart, Part, Spec, UserModel, UserPart
from labtui.recipe.sweep import Sweep

FORMAT = 1
"""Version of the recipe file format."""

FACTORY = "factory"


def _kind(value: Any) -> str | None:
    """The tag of a table that has kinds: its `name`, or `factory`."""
    if isinstance(value, dict):
        return FACTORY if FACTORY in value else value.get("name")
    return FACTORY if isinstance(value, UserPart) else getattr(value, "name", None)


def _kinds(*specs: type[Spec], default: str | None = None) -> Any:
    """A union of specs told apart by `name` (or by `factory`, for a user's own part).

    Args:
        default: what a table without either is.
    """

    def kind(value: Any) -> str | None:
        return _kind(value) or default

    tagged = [
        Annotated[s, Tag(FACTORY if issubclass(s, UserPart) else s.model_fields["name"].default)]
        for s in specs
    ]
    return Annotated[reduce(or_, tagged[1:], tagged[0]), Discriminator(kind)]


SPECS: dict[str, Sequence[type[Spec]]] = {
    "data": DATASETS,
    "model": MODELS,
    "optimizer": optim.OPTIMIZERS,
    "schedule": optim.SCHEDULES,
    "loss": optim.LOSSES,
}
"""Tables that have kinds, told apart by their `name`."""

if TYPE_CHECKING:
    DataSpec = Part
    ModelSpec = ModelPart
    OptimizerSpec = optim.Optimizer
    ScheduleSpec = optim.Schedule
    LossSpec = optim.Loss
else:
    DataSpec = _kinds(*DATASETS, UserPart)
    ModelSpec = _kinds(*MODELS, UserModel)
    OptimizerSpec = _kinds(*optim.OPTIMIZERS, default="adam")
    ScheduleSpec = _kinds(*optim.SCHEDULES, default="constant")
    LossSpec = _kinds(*optim.LOSSES, default="cross_entropy")


class Origin(Spec):
    """Where a resolved recipe came from; written by the launcher."""

    file: str = ""
    """The recipe file: below the lab if it lies there, else its whole path."""
    sweep: str = ""
    """Id that folds, repeats and cells of one launch share; empty for a single run."""
    cell: int | None = None
    """Number of the sweep's cell."""
    title: str = ""
    """The cell's own name."""
    repeat: int | None = None
    """Number of the repeat."""
    fold: int | None = None
    """Number of the fold."""
    key: str = ""
    """What tells this training from others of its sweep: a hash of its resolved recipe."""
    stack: str | None = None
    """What trainings have in common that one process may do together; absent: each is done alone."""
    together: bool | Literal["auto"] | None = None
    """The `sweep.together` by which it may."""
    set: list[str] = []
    """What `--set` changed; of a sweep's definition only."""


class Train(Spec):
    """The training loop."""

    epochs: int = Field(10, ge=0)
    """Passes over the training split."""
    batch_size: int = Field(32, ge=1)
    """Samples of one optimiser step."""
    clip_norm: float | None = Field(None, gt=0)
    """Largest norm of the whole gradient; absent: no clipping."""
    clip_value: float | None = Field(None, gt=0)
    """Largest absolute value of a gradient's element; absent: no clipping."""
    accumulate: int = Field(1, ge=1)
    """Pieces in which each batch is put through the model, their gradients added up: less memory."""
    on_oom: Literal["fail", "halve"] = "fail"
    """When memory runs out: end the run, or halve the pieces (`accumulate` doubles) and go on."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """What the model's layers compute in. Weights and losses stay in float32; with float16 the loss is scaled,
    and a step whose gradient overflows is left out (`train.skipped_steps`). Half the memory and up to several
    times as fast on GPUs, slower on most CPUs."""
    sampler: Literal["shuffle", "balanced"] = "shuffle"
    """Each training sample once in an epoch, in a new order; or as many draws with replacement, each class as
    likely as any other and in it each sample."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of weights, order, dropout and augmentation."""
    log_every: int = Field(1, ge=1)
    """Optimiser steps between two records of `train.step_loss`."""
    statistics: int = Field(32, ge=0, le=64)
    """How often at most weights, gradients and activations are looked at, evenly over the training (`weights.npz`,
    `activations.npz`), for at most 3 % of its time, or 40 ms of one that is shorter than 1.3 s; what it does not pay
    for is seen of fewer samples, or left out. 0: never, nor are the data (`inputs.json`), outputs
    (`outputs.json`) and the embedding of validation samples (`embedding.npz`), nor is anything diagnosed meanwhile."""


class Validate(Spec):
    """How the data is split, and which epoch counts."""

    scheme: Literal["holdout", "kfold", "group", "file"] = "holdout"
    """Fractions held out; k folds; folds of whole groups; or the split that comes with the data."""
    val: float = Field(0.2, ge=0, lt=1)
    """Share of validation samples (holdout)."""
    test: float = Field(0.0, ge=0, lt=1)
    """Share of test samples, scored once with the best checkpoint (holdout, kfold, group)."""
    test_fold: bool = False
    """A fold of its own is the test split, another one for each fold (kfold, group): folds 0 and 1 test each
    other, then 2 and 3, and so on; of an odd number each tests the next. With as many folds as groups, folds
    are in the groups' order: of IEMOCAP's ten speakers, the two of a session test each other."""
    folds: int = Field(5, ge=2)
    """Number of folds (kfold, group). One run trains one fold."""
    fold: int | None = Field(None, ge=0)
    """The fold this run validates on; absent: a launch makes one run of each."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the split, apart from `train.seed`: repeats then share their split."""
    monitor: str = "val.loss"
    """The metric that says which epoch is best."""
    every: int = Field(1, ge=1)
    """Epochs between two validations (the last epoch always has one)."""
    patience: int | None = Field(None, ge=1)
    """Validations without improvement before training stops early; absent: never."""
    min_delta: float = Field(0.0, ge=0)
    """Smallest change of the monitored metric that counts as improvement for `patience`."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.fold is not None and self.fold >= self.folds:
            raise ValueError(f"fold = {self.fold} must be below folds = {self.folds}")
        if self.test_fold and (self.scheme not in ("kfold", "group") or self.test or self.folds < 3):
            raise ValueError('test_fold needs scheme = "kfold" or "group", three folds or more, and test = 0')
        if self.scheme == "holdout" and self.val + self.test >= 1:
            raise ValueError("val + test leaves nothing to train on")
        return self


class Checkpoints(Spec):
    """What is kept of the weights. `last.pt` holds all that a resume needs."""

    interval: float = Field(10.0, ge=0)
    """Least seconds between two writes of `best.pt` and `last.pt` (0: each epoch)."""
    every: int = Field(0, ge=0)
    """Keep `epoch-NNNNN.pt` every so many epochs (0: none)."""
    keep: int | None = Field(None, ge=1)
    """The newest so many `epoch-NNNNN.pt` stay, older ones are removed; absent: all stay."""
    also_best: list[str] = []
    """Further metrics whose best epoch is kept, as `best-<metric>.pt`."""
    teacher: bool = False
    """Keep what the best weights make of all samples (logits, hidden layers), as the artifact `teacher.npz`,
    which a student's `data.teacher` names. What is held out is in it too: its students have the same fold."""
    name: str | None = None
    """Keep a copy of the weights under such a name whenever an epoch is the best so far, as Keras does:
    "model-{epoch:05d}-{loss:.5f}-{val_loss:.5f}". Fields are `epoch` (from 1), `step` and metrics; absent:
    none."""

    @field_validator("name")
    @classmethod
    def _names(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            naming.fields(pattern)
        return pattern


class Recipe(Spec):
    """A recipe, complete with defaults."""

    format: Literal[1] = 1
    """Version of this file format."""
    name: str = Field(min_length=1, max_length=200)
    """What runs of it are called, in any script."""
    description: str = ""
    """What it is for, what it reproduces, what is flawed on purpose."""
    tags: list[str] = []
    """Words to filter by."""
    command: list[str] | None = Field(None, min_length=1)
    """A program of the user's own instead of data and model; `{key}` is replaced by its value."""
    params: dict[str, Any] = {}
    """Free parameters of a command."""
    data: DataSpec | None = None
    """The data set."""
    model: ModelSpec | None = None
    """The model."""
    loss: LossSpec = Field(default_factory=optim.CrossEntropy)
    """The loss that is minimised."""
    optimizer: OptimizerSpec = Field(default_factory=optim.Adam)
    """The optimiser."""
    schedule: ScheduleSpec = Field(default_factory=optim.Constant)
    """The learning-rate schedule."""
    train: Train = Field(default_factory=Train)
    """The training loop."""
    validate_: Validate = Field(default_factory=Validate, alias="validate")
    """Splits, and which epoch counts."""
    checkpoints: Checkpoints = Field(default_factory=Checkpoints)
    """What is kept of the weights."""
    resources: Resources = Field(default_factory=Resources)
    """What a run may use, where it runs, when it may start."""
    goals: dict[str, Goal] = {}
    """Direction of metrics that labtui does not know: "min" or "max"."""
    sweep: Sweep | None = None
    """Several trainings from one recipe."""
    origin: Origin = Field(default_factory=Origin)
    """Where a resolved recipe came from."""

    @model_validator(mode="after")
    def _trains_something(self) -> Self:
        if self.command is None and (self.data is None or self.model is None):
            missing = "[data]" if self.data is None else "[model]"
            raise ValueError(f"{missing} is missing (or give a `command`)")
        if self.command is not None and (self.data is not None or self.model is not None):
            raise ValueError("a recipe has either a `command` or [data] and [model], not both")
        return self

    def tables(self) -> dict[str, Any]:
        """The recipe as TOML tables: defaults written out, absent options left out.

        For a command, only what was set is there of the tables of the built-in training.
        """
        found = {field.alias or name: self.table(name) for name, field in type(self).model_fields.items()}
        return {key: value for key, value in found.items() if value not in (None, "", [], {})}

    def table(self, name: str, *, defaults: bool = True) -> Any:
        """One of the tables, by the name of its field.

        Args:
            defaults: with the options that have their default value; which kind of a part it is is there anyway.
        """
        value = getattr(self, name)
        if not isinstance(value, Spec):
            return value
        partly = self.command is not None and name in _TRAINING
        table = value.model_dump(
            by_alias=True, exclude_none=True, exclude_unset=partly, exclude_defaults=not defaults
        )
        return table if defaults or name not in SPECS else {"name": getattr(value, "name", ""), **table}


_TRAINING = ("loss", "optimizer", "schedule", "train", "validate_", "checkpoints", "resources")
"""Tables of the built-in training."""
