"""A stand-in for a CUDA graph, on the processor: calls recorded once, and replayed as they were.

What a graph does is done here, too: no line of Python runs again, every call reads and writes the
memory that it had when it was recorded, and what is in between is left to other graphs meanwhile.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_LEFT = {torch.bool: True, torch.uint8: 77, torch.int8: 77}


def tensors_of(values):
    return [each for each in tree_leaves(values) if isinstance(each, torch.Tensor)]


class _Recorder(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        given = function(*args, **(kwargs or {}))
        self.calls.append((function, args, kwargs or {}, given))
        return given


class RecordedGraph:
    """The calls of some work."""

    def __init__(self, work):
        self.replays = 0
        with _Recorder() as recorder:
            work()
        self._calls = []
        for function, args, kwargs, given in recorder.calls:
            outside = {each.untyped_storage().data_ptr() for each in tensors_of((args, kwargs))}
            places = tensors_of(given)
            mutable = function._schema.is_mutable
            shared = any(each.untyped_storage().data_ptr() in outside for each in places)
            if not mutable and shared:
                continue  # a view, which is still one
            self._calls.append((function, args, kwargs, [] if mutable else places))

    def replay(self):
        self.replays += 1
        between = [place for *_, places in self._calls for place in places]
        for place in between:
            if place.is_floating_point() or place.is_complex():
                place.fill_(float("nan"))
            else:
                place.fill_(_LEFT.get(place.dtype, 2**30))
        for function, args, kwargs, places in self._calls:
            given = function(*args, **kwargs)
            for place, new in zip(places, tensors_of(given) if places else [], strict=True):
                place.copy_(new)


def record_graphs(transducer):
    """Makes it capture such graphs, as if it were on a GPU; all of them, as they are made."""
    graphs, made = transducer._graphs, []

    def captured(work):
        made.append(RecordedGraph(work))
        return made[-1]

    graphs.on = True
    graphs._captured = captured
    return made
