"""Keys and values in pools, as they are and in 8 bits."""

import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.torch_runtime.kept_rows import KEPT, KeptRows
from parakeet_streaming.torch_runtime.slots import NOTHING, Pool

LAYERS, FRAMES, WIDTH, HEADS = 2, 5, 12, 3
KINDS = [(torch.float32, False), (torch.bfloat16, False), (torch.float32, True)]


def kept(cpu, dtype=torch.float32, *, eight_bits=True):
    rows = KeptRows(HEADS, dtype, eight_bits=eight_bits)
    return rows, Pool(rows.shapes(LAYERS, FRAMES, WIDTH), cpu)


@pytest.mark.parametrize(("dtype", "eight_bits"), KINDS)
def test_rows_come_back_from_their_places(cpu, dtype, eight_bits):
    rows, pool = kept(cpu, dtype, eight_bits=eight_bits)
    slot = pool.take().number
    told = torch.randn((LAYERS, FRAMES, WIDTH)).to(dtype)
    places = slot * FRAMES + torch.tensor([3, 0, 4, 1, 2])
    for name in KEPT:
        for layer in range(LAYERS):
            rows.write(pool, name, layer, places, told[layer])
        one = rows.read(pool, name, 1, places[1:3])
        whole = rows.read_slot(pool, name, slot, torch.tensor([0, 4]))
        assert one.dtype == whole.dtype == dtype
        assert torch.equal(one, whole[1])
        most = told[:, 1:3].float().abs().amax()
        off = (whole.float() - told[:, 1:3].float()).abs().amax()
        assert off <= (most / 254 if eight_bits else 0)


@pytest.mark.parametrize(("dtype", "eight_bits"), KINDS)
def test_what_was_read_is_written_as_it_is(cpu, dtype, eight_bits):
    rows, pool = kept(cpu, dtype, eight_bits=eight_bits)
    one, other, frames = pool.take().number, pool.take().number, torch.arange(FRAMES)
    rows.write_slot(pool, "keys", one, torch.randn((LAYERS, FRAMES, WIDTH)))
    read = rows.read_slot(pool, "keys", one, frames).float()
    rows.write_slot(pool, "keys", other, read)
    again = rows.read_slot(pool, "keys", other, frames).float()
    assert torch.allclose(read, again, atol=0, rtol=1e-6)


def test_each_head_has_its_own_scale(cpu):
    rows, pool = kept(cpu)
    told = torch.cat([torch.full((4,), size) for size in (1e-6, 1.0, 1e6)]).expand(LAYERS, 1, -1)
    slot = pool.take().number
    rows.write_slot(pool, "values", slot, told)
    read = rows.read_slot(pool, "values", slot, torch.tensor([0]))
    assert torch.allclose(read, told, rtol=1e-5)


def test_nothing_is_zeros(cpu):
    rows, pool = kept(cpu)
    slot = pool.take().number
    rows.write_slot(pool, "keys", slot, torch.zeros((LAYERS, FRAMES, WIDTH)))
    for place in (NOTHING * FRAMES, slot * FRAMES):
        assert not rows.read(pool, "keys", 0, torch.tensor([place])).any()


def test_eight_bits_take_little_room(cpu):
    _, plain = kept(cpu, eight_bits=False)
    rows = KeptRows(HEADS, torch.float32, eight_bits=True)
    wide = Pool(rows.shapes(LAYERS, FRAMES, 384), cpu)
    assert plain.bytes_each == 2 * LAYERS * FRAMES * WIDTH * 4
    assert wide.bytes_each == 2 * LAYERS * FRAMES * (384 + HEADS * 4)
