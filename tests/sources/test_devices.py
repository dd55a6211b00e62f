"""Which microphone is meant, and what is said when none or several are."""

import pytest

from parakeet_streaming.errors import DeviceNotFoundError, OptionError
from parakeet_streaming.sources.devices import InputDevice, choose_device, microphone_advice


def device(index, name, host_api="ALSA", is_default=False):
    return InputDevice(index, name, 2, 48_000, host_api, is_default)


LAPTOP = device(0, "Laptop microphone")
USB = device(2, "USB microphone", is_default=True)
USB_LEFT = device(3, "USB microphone (left)")
HEADSET = device(5, "Headset")
DEVICES = (LAPTOP, USB, USB_LEFT, HEADSET)


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        (None, USB),
        (0, LAPTOP),
        ("5", HEADSET),
        (" 2 ", USB),
        ("headset", HEADSET),
        ("LAPTOP", LAPTOP),
        ("usb microphone", USB),
        ("(left)", USB_LEFT),
        ("Headset, alsa", HEADSET),
    ],
)
def test_the_device_that_is_meant(wanted, meant):
    assert choose_device(DEVICES, wanted) is meant


def test_without_a_default_the_first_is_taken():
    assert choose_device((LAPTOP, HEADSET)) is LAPTOP


def test_one_microphone_of_several_host_apis():
    slow = device(1, "Webcam", "MME")
    quick = device(2, "Webcam", "WASAPI")
    default = device(3, "Line in", "WASAPI", is_default=True)
    assert choose_device((slow, quick, default), "webcam") is quick
    assert choose_device((slow, quick, default), "webcam, mme") is slow


@pytest.mark.parametrize("wanted", ["microphone", "usb"])
def test_several_are_listed(wanted):
    with pytest.raises(OptionError, match=r"2: USB microphone, ALSA; 3: USB .*number"):
        choose_device(DEVICES, wanted)


def test_equal_names_that_nothing_tells_apart_are_listed():
    twins = (device(1, "Webcam"), device(2, "Webcam"))
    with pytest.raises(OptionError, match="1: Webcam, ALSA; 2: Webcam, ALSA"):
        choose_device(twins, "webcam")


@pytest.mark.parametrize("wanted", [1, "7", "telephone"])
def test_what_is_not_there_is_reported_with_what_is(wanted):
    with pytest.raises(DeviceNotFoundError, match=r"no microphone .*5: Headset, ALSA"):
        choose_device(DEVICES, wanted)


def test_without_any_device_one_is_reported_where_to_look():
    with pytest.raises(DeviceNotFoundError, match="no microphone was found; plug one in"):
        choose_device(())


@pytest.mark.parametrize(
    ("platform", "says"),
    [("darwin", "System Settings"), ("win32", "desktop apps"), ("linux", "group audio")],
)
def test_advice_fits_the_system(platform, says):
    assert says in microphone_advice(platform)


def test_a_name_of_digits():
    digits, part = device(1, "404"), device(4, "USB 808 mic")
    assert choose_device((*DEVICES, digits, part), "404") is digits
    assert choose_device((*DEVICES, digits, part), "808") is part
    # A number goes first; the full form is always a name.
    two = device(7, "2")
    assert choose_device((*DEVICES, two), "2") is USB
    assert choose_device((*DEVICES, two), "2, ALSA") is two
    with pytest.raises(DeviceNotFoundError, match="number 404"):
        choose_device((*DEVICES, digits), 404)
