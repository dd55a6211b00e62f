"""Who is let in, by what they show."""

import pytest

from parakeet_streaming.server.access import MOST_SECRETS, Access, shown_key
from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.replies import AccessError, OriginError

KEYS = {"ann": "key-a", "bob": "key-b"}


def caller(*protocols, **headers):
    return Caller("10.0.0.1", headers, {}, protocols)


@pytest.mark.parametrize(
    ("shown", "owner"),
    [
        (caller(authorization="Bearer key-a"), "ann"),
        (caller(authorization="bearer  key-b "), "bob"),
        (caller(authorization="Token key-b"), "bob"),
        (Caller("", {"x-api-key": "key-a"}, {}), "ann"),
        (caller("realtime", "openai-insecure-api-key.key-b"), "bob"),
        (caller("parakeet", "base64url-api-key.a2V5LWE"), "ann"),
        (caller("token", "key-a"), "ann"),
    ],
)
def test_a_key_is_found_where_clients_put_it(shown, owner):
    assert Access(KEYS).owner(shown, 0.0) == owner


@pytest.mark.parametrize(
    "shown",
    [
        caller(),
        caller(authorization="Bearer "),
        caller(authorization="Bearer key-"),
        caller(authorization="Bearer key-a\u00e9"),
        caller(authorization="Basic key-a"),
        caller("realtime"),
        caller("token"),
        caller("base64url-api-key.é"),
        caller("base64url-api-key._w"),
        Caller("", {}, {"api_key": "key-a"}),
    ],
)
def test_without_a_key_that_is_known_nobody_is_let_in(shown):
    with pytest.raises(AccessError, match="API key"):
        Access(KEYS).owner(shown, 0.0)


def test_without_keys_everybody_is():
    access = Access({})
    assert access.is_open
    assert access.owner(caller(), 0.0) == "anonymous"


def test_a_secret_is_valid_for_its_time():
    access = Access(KEYS)
    secret = access.new_secret("ann", 60.0, 100.0)
    shown = caller(authorization=f"Bearer {secret.value}")
    assert secret.expires_s == 160.0
    assert access.owner(shown, 159.9) == "ann"
    with pytest.raises(AccessError, match="expired"):
        access.owner(shown, 160.0)
    assert access.new_secret("ann", 60.0, 200.0).value != secret.value


def test_secrets_are_bounded():
    access = Access(KEYS)
    access._secrets = {
        bytes([at % 256, at // 256]): access.new_secret("ann", 9.0, 0.0)
        for at in range(MOST_SECRETS)
    }
    with pytest.raises(AccessError, match="short-lived"):
        access.new_secret("ann", 9.0, 1.0)
    access.new_secret("ann", 9.0, 10.0)


@pytest.mark.parametrize(
    ("origin", "allowed", "let_in"),
    [
        (None, (), True),
        ("https://here.example", (), True),
        ("https://evil.example", (), False),
        ("null", (), False),
        ("https://here.example.evil", (), False),
        ("https://page.example", ("https://page.example",), True),
        ("https://evil.example", ("*",), True),
    ],
)
def test_pages_of_other_sites_are_refused(origin, allowed, let_in):
    access = Access({}, allowed)
    headers = {"host": "here.example"} | ({} if origin is None else {"origin": origin})
    if let_in:
        access.check_origin(Caller("", headers, {}))
    else:
        with pytest.raises(OriginError, match="allow-origin"):
            access.check_origin(Caller("", headers, {}))


def test_a_key_is_found_or_not():
    assert shown_key(caller()) is None


@pytest.mark.parametrize("keys", [KEYS, {}])
def test_what_goes_with_a_short_lived_key_is_found_while_it_is_valid(keys):
    access = Access(keys)
    secret = access.new_secret("ann", 60.0, 100.0, session="wishes")
    shown = caller(authorization=f"Bearer {secret.value}")
    assert access.secret(shown, 159.0).session == "wishes"
    assert access.secret(shown, 160.0) is None
    assert access.secret(caller(authorization="Bearer key-a"), 110.0) is None
    assert access.secret(caller(), 110.0) is None


def test_an_origin_that_is_no_address_is_of_another_site():
    access = Access({})
    assert not access.allows(Caller("", {"origin": "http://[", "host": "here"}, {}))
    assert access.allows(Caller("", {"origin": "http://here", "host": "here"}, {}))
    assert access.allows(Caller("", {}, {}))


def test_a_short_lived_key_of_another_replica_is_known_when_it_is_told():
    one, other = Access(KEYS), Access(KEYS)
    secret = one.new_secret("ann", 10.0, 0.0)
    with pytest.raises(AccessError):
        other.owner(caller(authorization=f"Bearer {secret.value}"), 1.0)
    other.know(secret)
    assert other.owner(caller(authorization=f"Bearer {secret.value}"), 1.0) == "ann"
    assert other.secrets(9.0) == [secret]
    assert other.secrets(10.0) == []


def test_an_owner_has_a_digest_where_keys_are_needed():
    access = Access(KEYS)
    assert access.digest("ann")
    assert access.digest("nobody") == b""
