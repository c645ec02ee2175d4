"""Functions that no tensor goes into and none comes out of: they cannot touch a tensor's memory. Checked by results.

Calls that need a device are checked by their signature instead: no parameter is a tensor.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from op_measure import PLAIN, leaves

CALLS: dict[str, tuple[Any, ...]] = {
    "device": ("cpu",),
    "finfo": (torch.float32,),
    "iinfo": (torch.int32,),
    "Size": ((2, 3),),
    "Generator": (),
    "promote_types": (torch.float32, torch.int64),
    "can_cast": (torch.float32, torch.float64),
    "get_default_dtype": (),
    "get_default_device": (),
    "get_num_threads": (),
    "is_grad_enabled": (),
    "is_inference_mode_enabled": (),
    "is_autocast_enabled": ("cpu",),
    "initial_seed": (),
    "manual_seed": (3,),
    "seed": (),
    "no_grad": (),
    "enable_grad": (),
    "inference_mode": (),
    "set_grad_enabled": (True,),
    "set_num_threads": (1,),
    "get_device_module": ("cpu",),
    "broadcast_shapes": ((2, 1), (1, 3)),
    "nn.init.calculate_gain": ("relu",),
    "jit.is_scripting": (),
    "jit.is_tracing": (),
    "compiler.is_compiling": (),
    "compiler.is_dynamo_compiling": (),
    "are_deterministic_algorithms_enabled": (),
    "get_float32_matmul_precision": (),
    "set_float32_matmul_precision": ("highest",),
    "typename": (3,),
    "is_storage": (3,),
    "cuda.is_available": (),
    "cuda.device_count": (),
    "cuda.is_initialized": (),
    "xpu.is_available": (),
    "xpu.device_count": (),
    "mps.is_available": (),
    "backends.mps.is_available": (),
    "distributed.is_available": (),
    "distributed.is_initialized": (),
    "distributed.get_rank": (),
    "distributed.get_world_size": (),
    "distributed.get_backend": (),
}
BY_SIGNATURE = """
    cuda.is_current_stream_capturing cuda.current_device cuda.synchronize cuda.empty_cache cuda.mem_get_info
    cuda.memory_allocated cuda.memory_reserved cuda.max_memory_allocated cuda.max_memory_reserved
    cuda.reset_peak_memory_stats cuda.memory_stats cuda.get_device_name cuda.get_device_capability
    cuda.get_device_properties cuda.set_device cuda.current_stream cuda.default_stream cuda.is_bf16_supported
    cuda.can_device_access_peer cuda.manual_seed cuda.manual_seed_all cuda.ipc_collect xpu.current_device
    xpu.synchronize xpu.empty_cache xpu.get_device_name xpu.get_device_properties xpu.memory_allocated xpu.mem_get_info
    xpu.reset_peak_memory_stats xpu.set_device
"""
NO_TENSORS = {*CALLS, *BY_SIGNATURE.split()}


def found(name: str) -> Any:
    value: Any = torch
    for part in name.split("."):
        value = getattr(value, part)
    return value


def measured_without_tensors() -> list[str]:
    """The names that hold what is said above."""
    store = torch.distributed.HashStore()
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        called = [name for name, args in CALLS.items() if not shares(found(name)(*args))]
    finally:
        torch.distributed.destroy_process_group()
    return sorted([*called, *(name for name in BY_SIGNATURE.split() if tensorless(found(name)))])


def shares(result: Any) -> bool:
    """A result may be or hold a tensor: plain values, and objects that hold none of their own, do not."""
    held = [*leaves(result), *getattr(result, "__dict__", {}).values()]
    return any(isinstance(leaf, torch.Tensor) for leaf in held if not isinstance(leaf, PLAIN))


def tensorless(function: Any) -> bool:
    return "Tensor" not in str(inspect.signature(function))
