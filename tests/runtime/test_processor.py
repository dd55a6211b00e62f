from parakeet_streaming.runtime.processor import Processor, processor


def test_instructions_of_a_linux_machine(tmp_path):
    (tmp_path / "cpuinfo").write_text(
        "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx2 avx512f amx_int8 sse\n\n"
        "processor\t: 1\nmodel name\t: Other\nflags\t\t: fpu\n"
    )
    assert processor(tmp_path / "cpuinfo") == Processor("Some CPU", ("amx_int8", "avx2", "avx512f"))


def test_instructions_of_an_arm_machine(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor : 0\nFeatures : fp asimddp i8mm bf16 sve2\n")
    assert processor(tmp_path / "cpuinfo").instructions == ("asimddp", "bf16", "i8mm", "sve2")


def test_elsewhere_the_processor_has_a_name(tmp_path):
    found = processor(tmp_path / "nothing")
    assert found.name
    assert found.instructions == ()
