"""What is wrong with a training, if anything: rules, each with what it rests on and what helps.

A rule is one function in one of this folder's modules. It looks at a `Case`, arrays and figures alone, so that a
worker and a reader can ask the same rules; and it says nothing rather than something wrong.
"""

from labtui.diagnose import activations as activations
from labtui.diagnose import choice as choice
from labtui.diagnose import inputs as inputs
from labtui.diagnose import losses as losses
from labtui.diagnose import outputs as outputs
from labtui.diagnose import pace as pace
from labtui.diagnose import scores as scores
from labtui.diagnose import splits as splits
from labtui.diagnose import weights as weights
from labtui.diagnose.case import Case as Case
from labtui.diagnose.groups import GROUP_RULES as GROUP_RULES
from labtui.diagnose.groups import Alike as Alike
from labtui.diagnose.groups import GroupCase as GroupCase
from labtui.diagnose.groups import Member as Member
from labtui.diagnose.groups import Rivals as Rivals
from labtui.diagnose.groups import diagnose_group as diagnose_group
from labtui.diagnose.reading import read as read
from labtui.diagnose.rules import RULES as RULES
from labtui.diagnose.rules import Diagnosis as Diagnosis
from labtui.diagnose.rules import Finding as Finding
from labtui.diagnose.rules import diagnose as diagnose
