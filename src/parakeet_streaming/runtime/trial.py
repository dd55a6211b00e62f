"""Nothing in; whether OpenVINO computes on this machine, found in a process of its own, out.

On a processor that it does not know, a runtime may end its whole process, and with little memory it
may be ended. What is optional must not take the program with it.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Final

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from parakeet_streaming.plain_text import visible
from parakeet_streaming.runtime.openvino_runtime import open_openvino
from parakeet_streaming.runtime.reasons import MOST_CHARACTERS

_WIDTH: Final = 256
_LONGEST_S: Final = 60.0
_PROGRAM: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from parakeet_streaming.runtime.trial import compute; compute()"
)
_LOG: Final = logging.getLogger(__name__)


def openvino_computes() -> bool:
    """Whether it computed a small graph; True where no process can be started to try it."""
    if getattr(sys, "frozen", False) or not sys.executable:
        return True  # a program in one file would start itself
    command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_LONGEST_S,
            check=False,
        )
    except OSError:
        return True
    except subprocess.TimeoutExpired:
        _LOG.warning("OpenVINO did not compute a small graph in %.0f s: not used", _LONGEST_S)
        return False
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        reason = (
            visible(lines[-1], MOST_CHARACTERS) if lines else f"it ended with {done.returncode}"
        )
        _LOG.warning(
            "OpenVINO is installed but does not compute here, so it is not used: %s", reason
        )
    return done.returncode == 0


def compute() -> None:
    """Computes a small graph with OpenVINO; what the process of its own runs."""
    session = open_openvino(_graph(), threads=1, name="a small graph", kept=False)
    session.run({"x": np.ones((_WIDTH, _WIDTH), np.float32)})


def _graph() -> bytes:
    """The product of x (n, n) and a constant."""
    weights = numpy_helper.from_array(np.ones((_WIDTH, _WIDTH), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "trial",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [_WIDTH, _WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [_WIDTH, _WIDTH])],
        [weights],
    )
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    whole: bytes = model.SerializeToString()
    return whole
