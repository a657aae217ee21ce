"""Specs of the built-in models, one file a family; each names its builder in `labtui.zoo`."""

from labtui.recipe.models.audio import CNN1D, CNN2D, STN, MixNet
from labtui.recipe.models.autoencoder import AE, AECls, ResAE, ResAECls
from labtui.recipe.models.cnn3d import CNN3D
from labtui.recipe.models.digits import DigitsCNN
from labtui.recipe.models.speech import SPEECH
from labtui.recipe.models.timeseries import FCN, TimeLSTM, TimeResNet
from labtui.recipe.models.transformer import (
    TransformerBase,
    TransformerCls,
    TransformerMask,
    TransformerTriplet,
)
from labtui.recipe.models.video import Conv2DRNN, Conv3D

MODELS = (
    AE,
    AECls,
    CNN1D,
    CNN2D,
    CNN3D,
    Conv2DRNN,
    Conv3D,
    DigitsCNN,
    MixNet,
    ResAE,
    ResAECls,
    STN,
    TransformerBase,
    TransformerCls,
    TransformerMask,
    TransformerTriplet,
    *SPEECH,
    FCN,
    TimeResNet,
    TimeLSTM,
)
