"""Specs of losses, optimisers and learning-rate schedules. Defaults are those of torch.optim."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from labtui.recipe.spec import Spec

Betas = Annotated[tuple[float, float], Field(strict=False)]


class Optimizer(Spec):
    """What every optimiser has."""

    lr: float = Field(1e-3, gt=0)
    """Learning rate. A `noam` schedule replaces it."""
    lr_head: float | None = Field(None, gt=0)
    """Learning rate of the layers called `head`, for a model whose other layers learned elsewhere; absent:
    `lr`. A schedule changes both by the same factor."""
    weight_decay: float = Field(0.0, ge=0)
    """L2 penalty (decoupled in adamw)."""


class SGD(Optimizer):
    """Stochastic gradient descent."""

    name: Literal["sgd"] = "sgd"
    """Which optimiser."""
    lr: float = Field(1e-2, gt=0)
    """Learning rate."""
    momentum: float = Field(0.0, ge=0)
    """Momentum factor."""
    dampening: float = 0.0
    """Dampening of the momentum."""
    nesterov: bool = False
    """Nesterov momentum; needs momentum > 0 and no dampening."""

    @model_validator(mode="after")
    def _nesterov_fits(self) -> Self:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError("nesterov = true needs momentum > 0 and dampening = 0")
        return self


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015)."""

    name: Literal["adam"] = "adam"
    """Which optimiser."""
    betas: Betas = (0.9, 0.999)
    """Decay of the running averages of the gradient and its square."""
    eps: float = Field(1e-8, gt=0)
    """Added to the denominator."""
    amsgrad: bool = False
    """The AMSGrad variant."""


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"] = "adamw"
    """Which optimiser."""
    weight_decay: float = Field(1e-2, ge=0)
    """Decoupled weight decay."""
    betas: Betas = (0.9, 0.999)
    """Decay of the running averages of the gradient and its square."""
    eps: float = Field(1e-8, gt=0)
    """Added to the denominator."""
    amsgrad: bool = False
    """The AMSGrad variant."""


class NAdam(Optimizer):
    """Adam with Nesterov momentum (Dozat 2016)."""

    name: Literal["nadam"] = "nadam"
    """Which optimiser."""
    lr: float = Field(2e-3, gt=0)
    """Learning rate."""
    betas: Betas = (0.9, 0.999)
    """Decay of the running averages of the gradient and its square."""
    eps: float = Field(1e-8, gt=0)
    """Added to the denominator."""
    momentum_decay: float = Field(4e-3, ge=0)
    """Decay of the momentum."""


class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011)."""

    name: Literal["adagrad"] = "adagrad"
    """Which optimiser."""
    lr: float = Field(1e-2, gt=0)
    """Learning rate."""
    lr_decay: float = Field(0.0, ge=0)
    """Decay of the learning rate per step."""
    initial_accumulator_value: float = Field(0.0, ge=0)
    """Start of the sum of squared gradients (Keras: 0.1)."""
    eps: float = Field(1e-10, gt=0)
    """Added to the denominator."""


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012)."""

    name: Literal["adadelta"] = "adadelta"
    """Which optimiser."""
    lr: float = Field(1.0, gt=0)
    """Factor on the step."""
    rho: float = Field(0.9, ge=0, le=1)
    """Decay of the running averages."""
    eps: float = Field(1e-6, gt=0)
    """Added under the roots."""


class RMSprop(Optimizer):
    """RMSprop (Hinton, Coursera lecture 6e, 2012)."""

    name: Literal["rmsprop"] = "rmsprop"
    """Which optimiser."""
    lr: float = Field(1e-2, gt=0)
    """Learning rate."""
    alpha: float = Field(0.99, ge=0, le=1)
    """Decay of the average of squared gradients."""
    eps: float = Field(1e-8, gt=0)
    """Added to the denominator."""
    momentum: float = Field(0.0, ge=0)
    """Momentum factor."""
    centered: bool = False
    """Normalise by the variance instead of the second moment."""


OPTIMIZERS = (SGD, Adam, AdamW, NAdam, Adagrad, Adadelta, RMSprop)


class Schedule(Spec):
    """What every schedule has. Units are epochs unless a field says steps."""

    warmup_epochs: int = Field(0, ge=0)
    """First epochs at the constant `warmup_lr`, before the schedule begins."""
    warmup_lr: float = Field(1e-6, gt=0)
    """Learning rate of the warm-up."""


class Constant(Schedule):
    """The optimiser's learning rate throughout."""

    name: Literal["none"] = "none"
    """Which schedule."""


class Step(Schedule):
    """Times `factor` every `every` epochs."""

    name: Literal["step"] = "step"
    """Which schedule."""
    every: int = Field(10, ge=1)
    """Epochs between two reductions."""
    factor: float = Field(0.1, gt=0, le=1)
    """What the learning rate is multiplied with."""


class Cosine(Schedule):
    """Half a cosine down to `min_lr` over the training (Loshchilov and Hutter 2017)."""

    name: Literal["cosine"] = "cosine"
    """Which schedule."""
    min_lr: float = Field(0.0, ge=0)
    """Learning rate at the end."""


class Plateau(Schedule):
    """Times `factor` when the monitored metric has not improved (Keras ReduceLROnPlateau)."""

    name: Literal["plateau"] = "plateau"
    """Which schedule."""
    monitor: str = "val.loss"
    """The metric that is watched."""
    factor: float = Field(0.1, gt=0, lt=1)
    """What the learning rate is multiplied with."""
    patience: int = Field(10, ge=0)
    """Validations without improvement before a reduction."""
    min_delta: float = Field(1e-4, ge=0)
    """Smallest change that counts as improvement (absolute)."""
    min_lr: float = Field(0.0, ge=0)
    """The learning rate does not fall below this."""


class Linear(Schedule):
    """Constant for `constant_epochs`, then linearly to 0 over `decay_epochs`."""

    name: Literal["linear"] = "linear"
    """Which schedule."""
    constant_epochs: int = Field(0, ge=0)
    """Epochs at the full learning rate."""
    decay_epochs: int | None = Field(None, ge=1)
    """Epochs from there to 0; absent: the rest of the training."""


class Noam(Schedule):
    """d_model^-.5 · min(step^-.5, step·warmup^-1.5) per step (Vaswani et al. 2017, 5.3)."""

    name: Literal["noam"] = "noam"
    """Which schedule."""
    warmup: int = Field(4000, ge=1)
    """Steps of linear growth."""
    d_model: int | None = Field(None, ge=1)
    """Width in the formula; absent: the model's own `d_model`."""
    factor: float = Field(1.0, gt=0)
    """Factor on the whole."""


SCHEDULES = (Constant, Step, Cosine, Plateau, Linear, Noam)


class Loss(Spec):
    """What every loss has."""

    report: Literal["mean", "sum"] = "mean"
    """Logged losses are means over samples, or sums (as in the fNIRS notebook); what is logged beside a loss
    (its parts, the share of active triplets) is a mean always."""
    l2: float = Field(0.0, ge=0)
    """Times the sum of the squares of all trained weights, added to the mean loss, in training and wherever the
    loss is reported (as Keras does). Weights are matrices and kernels: no biases, no scales of norms, no
    tokens. `optimizer.weight_decay` changes the gradient alone."""


class CrossEntropy(Loss):
    """Cross-entropy of logits, one class a sample."""

    name: Literal["cross_entropy"] = "cross_entropy"
    """Which loss."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of the target spread evenly over all classes."""
    weight: Literal["balanced"] | list[Annotated[float, Field(ge=0)]] | None = None
    """Factor of each class, in the order of the data's classes. "balanced": n / (classes · n of the class) of
    the training split (King and Zeng 2001), whose mean over samples is 1. The loss is the mean over samples
    of factor times loss, also where it is reported; absent: all 1."""


class NLL(Loss):
    """Negative log-likelihood, for models that end in LogSoftmax."""

    name: Literal["nll"] = "nll"
    """Which loss."""


class BCEWithLogits(Loss):
    """Binary cross-entropy of logits, several labels a sample."""

    name: Literal["bce_with_logits"] = "bce_with_logits"
    """Which loss."""
    threshold: float = 0.0
    """An output above it says that the label is on (logits: 0)."""


class MultiLabelSoftMargin(Loss):
    """torch's MultiLabelSoftMarginLoss; takes logits (it applies the sigmoid itself)."""

    name: Literal["multilabel_soft_margin"] = "multilabel_soft_margin"
    """Which loss."""
    threshold: float = 0.0
    """An output above it says that the label is on (logits: 0; a model with a Sigmoid: 0.5)."""


class MSE(Loss):
    """Mean squared error, for regression or several labels a sample."""

    name: Literal["mse"] = "mse"
    """Which loss."""
    threshold: float = 0.5
    """An output above it says that the label is on; regression has no use for it."""


class L1(Loss):
    """Mean absolute error."""

    name: Literal["l1"] = "l1"
    """Which loss."""


class Huber(Loss):
    """Huber loss (Huber 1964)."""

    name: Literal["huber"] = "huber"
    """Which loss."""
    delta: float = Field(1.0, gt=0)
    """Where the square turns into a line."""


class Reconstruction(Loss):
    """Mean squared error between what a model gives and what it sees: an autoencoder's."""

    name: Literal["reconstruction"] = "reconstruction"
    """Which loss."""


class MaskedMSE(Loss):
    """Mean squared error on elements that were hidden from the model (Devlin et al. 2019, 3.1, for
    numbers)."""

    name: Literal["masked_mse"] = "masked_mse"
    """Which loss."""
    share: float = Field(0.15, gt=0, lt=1)
    """Of a sample's elements, how many are hidden: each by a draw of its own. A tenth of them get
    another element's value, nine tenths of the others become 0, and the rest stays."""


class BatchHardTriplet(Loss):
    """Each sample against its farthest fellow and its nearest stranger in the batch (Hermans et al. 2017,
    eq. 5), so that the model's outputs become an embedding in which classes lie apart."""

    name: Literal["batch_hard_triplet"] = "batch_hard_triplet"
    """Which loss."""
    margin: float = Field(0.05, gt=0)
    """How much farther than fellows strangers are to be, in the embedding's Euclidean distance."""


class Distillation(Loss):
    """What a teacher says of each sample, and what it has in mind (Hinton et al. 2015; Romero et al. 2015).

    The data set brings `teacher_logits` (N, classes), and `teacher_states` (N, layers, width) where
    layers are aligned.
    """

    name: Literal["distillation"] = "distillation"
    """Which loss."""
    soft: float = Field(1.0, ge=0)
    """Weight of the divergence from the teacher's softened logits (batch mean, as the notebook's `kd`)."""
    temperature: float = Field(2.0, gt=0)
    """Both logits are divided by it before the softmax of the teacher and the student."""
    hard: float = Field(0.0, ge=0)
    """Weight of the cross-entropy with the labels; the emotion notebook has none."""
    layers: list[Annotated[float, Field(ge=0)]] = []
    """Weights of the mean squared errors between the student's last so many hidden layers and the teacher's;
    a layer of weight 0 is left alone."""

    @model_validator(mode="after")
    def _weighs(self) -> Self:
        if not self.soft + self.hard + sum(self.layers):
            raise ValueError("soft, hard and all layers are 0: nothing is left to learn")
        return self


LOSSES = (
    CrossEntropy,
    NLL,
    BCEWithLogits,
    MultiLabelSoftMargin,
    MSE,
    L1,
    Huber,
    Reconstruction,
    MaskedMSE,
    BatchHardTriplet,
    Distillation,
)
