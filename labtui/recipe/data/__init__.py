"""Specs of the built-in data sets, one file each; each names its builder in `labtui.data`."""

from labtui.recipe.data.bearings import Bearings
from labtui.recipe.data.digits import Digits
from labtui.recipe.data.fnirs import FNIRS
from labtui.recipe.data.gestures import Gestures
from labtui.recipe.data.music import Music
from labtui.recipe.data.paderborn import Paderborn
from labtui.recipe.data.speech import Speech, SpeechFeatures
from labtui.recipe.data.ucr import Ucr

DATASETS = (Bearings, Digits, FNIRS, Gestures, Music, Paderborn, Speech, SpeechFeatures, Ucr)
