"""Specs of the built-in models, one file a family; each names its builder in `labtui.zoo`."""

from labtui.recipe.models.cnn3d import CNN3D
from labtui.recipe.models.digits import DigitsCNN
from labtui.recipe.models.transformer import TransformerCls

MODELS = (CNN3D, DigitsCNN, TransformerCls)
