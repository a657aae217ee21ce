"""A step as a plain list of operations, without those that do nothing.

Each operation on small tensors costs as much as it takes to call, and what vmap and autograd put down is
half of it views of the same shape.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

_OPS = torch.ops.aten
_VIEWS = (_OPS.view.default, _OPS._unsafe_view.default)
_SAME = (*_VIEWS, _OPS.expand.default, _OPS.detach.default, _OPS.alias.default)
"""What leaves a tensor as it is when it leaves its shape."""


def tidy(module: GraphModule) -> GraphModule:
    """Leave out what does nothing; of a view of a view the first, if nobody else looks at it."""
    for node in list(module.graph.nodes):
        if node.op != "call_function":
            continue
        if _idle(node):
            node.replace_all_uses_with(node.args[0])
            module.graph.erase_node(node)
        elif node.target in _VIEWS and (inner := node.args[0]).target in _VIEWS:
            node.replace_input_with(inner, inner.args[0])
            node.target = _OPS.view.default
            if not inner.users:
                module.graph.erase_node(inner)
    module.recompile()
    return module


def _idle(node: Node) -> bool:
    """Whether an operation gives what it takes."""
    if node.target is _OPS.permute.default:
        order: Any = node.args[1]
        return list(order) == sorted(order)
    if node.target is _OPS.mul.Scalar:
        return node.args[1:] == (1,)
    shape = _shape(node)
    return node.target in _SAME and shape is not None and tuple(shape) == tuple(_shape(node.args[0]) or ())


def _shape(node: Any) -> torch.Size | None:
    meta = node.meta.get("tensor_meta") or node.meta.get("val")
    return getattr(meta, "shape", None)
