"""Which processors are faster in bfloat16 is told alike by every torch; memory that was freed is used again."""

import platform
import subprocess
import sys

import pytest
import torch

from roa_helpers import models


@pytest.mark.parametrize(("bf16", "amx"), [(False, False), (True, False), (True, True)])
def test_an_older_torch_tells_of_bfloat16_what_a_newer_one_does(monkeypatch, bf16, amx):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = {"avx512_bf16": bf16, "amx_bf16": amx}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    assert models.has_bfloat16() == amx
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert models.has_bfloat16() == amx


#: Pages that the system makes anew while 64 MiB are taken, filled and freed ten times, before and after glibc is told
#: to keep them. The first blocks that it keeps may be a few bytes too short for the next, so four come before.
PAGES = """
import resource, torch
from roa_helpers import models

def pages(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        torch.ones(2**24)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
given_back = pages(10)
models.keep_memory()
pages(4)
print(given_back, pages(10))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library is left as it is")
def test_memory_that_a_tensor_frees_is_kept_for_the_next():
    told = subprocess.run([sys.executable, "-c", PAGES], capture_output=True, text=True, check=True).stdout
    given_back, kept = map(int, told.split())
    assert given_back >= 320  # 64 MiB in pages of 2 MiB, ten times; of 4 KiB they are 163,840
    assert kept < given_back / 8
