"""Specs of the built-in models, one file a family; each names its builder in `labtui.zoo`."""

from labtui.recipe.models.digits import DigitsCNN
from labtui.recipe.models.speech import SPEECH
from labtui.recipe.models.timeseries import FCN, TimeLSTM, TimeResNet
from labtui.recipe.models.transformer import TransformerCls

MODELS = (DigitsCNN, TransformerCls, *SPEECH, FCN, TimeResNet, TimeLSTM)
