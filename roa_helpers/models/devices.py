"""On what is computed: CPU or GPU, threads, and what the processor does by itself."""

import ctypes
import platform

import torch

#: glibc's names for how many blocks may be the system's own, and from how much free memory on it is handed back.
M_MMAP_MAX, M_TRIM_THRESHOLD = -4, -1


def device():
    """The GPU if there is one, otherwise the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def use_threads(count):
    """Fix the number of CPU threads and ask for reproducible kernels, so that equal seeds give equal bytes."""
    torch.set_num_threads(count)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def keep_memory():
    """Let glibc keep what tensors free for those that follow; where the C library is another one, do nothing.

    By itself it hands large blocks back to the system, which clears every page of the next one: a quarter of the time
    that EfficientNet-Lite0 takes on a CPU, a fifteenth of a training step of VGG16. No number depends on it.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, -1)


def device_name():
    """What results say of the device they were computed on: the GPU's name, or ``cpu``."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def has_bfloat16():
    """Whether :func:`device` computes faster in bfloat16 than in float32: GPUs that have it, processors with AMX.

    With AVX-512's products of bfloat16 alone a step of training VGG16 takes 1.4 times as long as in float32.
    """
    if device().type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if not hasattr(torch.cpu, "get_capabilities"):  # torch 2.6
        return torch.cpu._is_amx_tile_supported()
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))
