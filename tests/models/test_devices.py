"""Which processors are faster in bfloat16 is told alike by every torch."""

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
