"""Classifiers of the time-series literature, for samples (channels, time) of equal or unequal length."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from labtui.recipe.models.parts import Lstm
from labtui.recipe.spec import ModelPart


class FCN(ModelPart):
    """Fully convolutional network (Wang, Yan and Oates 2017, section II.B)."""

    factory_path: ClassVar[str] = "labtui.zoo.timeseries:fcn"

    name: Literal["fcn"] = "fcn"
    """Which model."""
    channels: int = Field(128, ge=1)
    """Filters of the first and the last convolution; the one between has twice as many."""


class TimeResNet(ModelPart):
    """Residual network (Wang, Yan and Oates 2017, section II.C)."""

    factory_path: ClassVar[str] = "labtui.zoo.timeseries:time_resnet"

    name: Literal["time_resnet"] = "time_resnet"
    """Which model."""
    channels: int = Field(64, ge=1)
    """Filters of the first unit; the other two have twice as many."""


class TimeLSTM(ModelPart):
    """An LSTM over the time steps, pooling over time, one linear layer."""

    factory_path: ClassVar[str] = "labtui.zoo.timeseries:time_lstm"

    name: Literal["time_lstm"] = "time_lstm"
    """Which model."""
    lstm: Lstm = Lstm()
    """The LSTM."""
    pooling: Literal["max", "mean", "last"] = "mean"
    """How the time steps of a sample become one vector."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout probability before the linear layer."""
