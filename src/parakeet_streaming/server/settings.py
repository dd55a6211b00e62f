"""Everything that can be set of a server: the one table of names, defaults, bounds and help.

The command line, environment variables and the settings file have the same names: `--max-streams`,
`PARAKEET_MAX_STREAMS`, `max_streams`. `settings_sources.py` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from parakeet_streaming.engine.endpoint_options import PRESETS as ENDPOINTINGS
from parakeet_streaming.limits import MOST_PHRASES
from parakeet_streaming.load import DEFAULT_MODEL
from parakeet_streaming.runtime.session import RUNTIMES
from parakeet_streaming.server import setting_checks as checks
from parakeet_streaming.server.about_settings import About
from parakeet_streaming.server.about_settings import setting as _setting
from parakeet_streaming.server.checkpoint import MOST_BYTES as CHECKPOINT_BYTES
from parakeet_streaming.server.limits import MOST_FILES, MOST_IO_PROCESSES, USUAL_UPLOADS, Limits
from parakeet_streaming.server.setting_checks import one_of
from parakeet_streaming.timeline import PRESETS
from parakeet_streaming.writing.options import NUMBERS, PROFANITY

NO_ENDPOINTING: Final = "off"
LOG_FORMATS: Final = ("text", "json")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")

_MODEL: Final = "Model"
_DELAY: Final = "Delay and quality"
_TEXT: Final = "Text of clients that ask for nothing else"
_ADDRESSES: Final = "Addresses"
_ACCESS: Final = "Who may use it"
_LIMITS: Final = "Limits"
_REPLICAS: Final = "Several replicas (extra ray)"
_LOG: Final = "Log and end"

MOST_CHECKPOINT_S: Final = 86_400.0
_DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Settings:
    """See the module. What is None is left to the engine, or is off."""

    model: str = _setting(
        DEFAULT_MODEL, _MODEL, "Folder, built-in name or hub id; the argument MODEL says the same."
    )
    language: tuple[str, ...] = _setting(
        (),
        _MODEL,
        "What the model understands, such as en; clients are told so. May be given again.",
        default_in_words="by the model's name",
    )
    strict_model: bool = _setting(
        False,
        _MODEL,
        "Refuse other names of models; by default any name stands for the loaded one.",
    )
    precision: str = _setting("auto", _MODEL, "auto, fp32, int8, fp16 or bf16.")
    runtime: str = _setting(
        "auto", _MODEL, f"One of {', '.join(RUNTIMES)}.", check=one_of(*RUNTIMES)
    )
    provider: str = _setting("auto", _MODEL, "auto, cpu, cuda, ... (see parakeet doctor).")
    device: str = _setting("auto", _MODEL, "Of the runtime torch: auto, cpu, cuda or cuda:N.")
    kv_cache: str = _setting(
        "auto", _MODEL, "Of torch, keys and values of cached streams: auto or int8."
    )
    no_graphs: bool = _setting(False, _MODEL, "Of torch on a GPU: do without CUDA graphs.")
    threads: int | None = _setting(
        None, _MODEL, "Threads of the encoder.", least=1, default_in_words="one per core"
    )
    revision: str | None = _setting(None, _MODEL, "Revision of a hub model.")
    max_streams: int | None = _setting(
        None,
        _MODEL,
        "Live streams at once; it alone decides then.",
        least=1,
        default_in_words="as many as this machine is measured to carry",
    )
    max_uploads: int = _setting(
        USUAL_UPLOADS, _MODEL, "Files transcribed at once.", least=1, most=MOST_FILES
    )
    io_processes: int = _setting(
        1, _MODEL, "Processes with the sockets, in front of one with the model, for very many.",
        least=1, most=MOST_IO_PROCESSES,
    )  # fmt: skip

    context: str | None = _setting(
        None,
        _DELAY,
        "Seconds of left-chunk-right context, such as 10-2-2, or a preset's name; clients may ask "
        "for another.",
        check=checks.context,
        default_in_words="balanced",
    )
    preset: str | None = _setting(
        None, _DELAY, f"A context by name: {', '.join(PRESETS)}.", check=one_of(*PRESETS)
    )
    fixed: bool = _setting(
        False, _DELAY, "Chunks never grow; sound that cannot be decoded in time is refused."
    )
    cached: bool = _setting(
        False,
        _DELAY,
        "Encode each frame once, where the model was exported for it: much cheaper, and close to "
        "the exact text.",
    )
    endpointing: str = _setting(
        "balanced",
        _DELAY,
        f"How soon an utterance ends in silence: {', '.join(ENDPOINTINGS)} or {NO_ENDPOINTING}.",
        check=one_of(*ENDPOINTINGS, NO_ENDPOINTING),
    )

    numbers: str = _setting(
        "model", _TEXT, "model: as the model says; digits: English numbers, dates, money and times "
        "in digits.", check=one_of(*NUMBERS),
    )  # fmt: skip
    profanity: str = _setting(
        "keep", _TEXT, "keep, or mask: only the first letter of an English word that offends "
        "stays.", check=one_of(*PROFANITY),
    )  # fmt: skip
    replace: str | None = _setting(
        None, _TEXT, "Your own spelling, a file: lines SPOKEN => WRITTEN, or /expression/ => "
        "WRITTEN.", default_in_words="none",
    )  # fmt: skip

    host: str = _setting(
        "127.0.0.1", _ADDRESSES, "Address or name to listen on; 0.0.0.0 and :: are all."
    )
    port: int = _setting(8000, _ADDRESSES, "0 takes any that is free.", least=0, most=65_535)
    wyoming_port: int | None = _setting(
        None, _ADDRESSES, "Wyoming's port, usually 10300.", least=0, most=65_535,
        default_in_words="none",
    )  # fmt: skip
    wyoming_host: str = _setting(
        "127.0.0.1", _ADDRESSES, "Where Wyoming listens; on any other needs --wyoming-no-auth."
    )
    wyoming_announce: bool = _setting(
        False,
        _ADDRESSES,
        "Tell the local network (zeroconf), so that Home Assistant finds Wyoming.",
    )
    stun_server: str | None = _setting(
        None,
        _ADDRESSES,
        "A STUN server, such as stun:stun.example.org:3478, that tells this server's address on "
        "the internet to callers of WebRTC.",
        check=checks.stun_server,
        default_in_words="none is asked",
    )
    tls_cert: str | None = _setting(None, _ADDRESSES, "Certificates, a PEM file: https and wss.")
    tls_key: str | None = _setting(
        None, _ADDRESSES, "Their key, a PEM file.", default_in_words="in --tls-cert"
    )
    trusted_proxy: tuple[str, ...] = _setting(
        (),
        _ADDRESSES,
        "Addresses of proxies whose X-Forwarded-For says who asks.",
    )

    api_key: tuple[str, ...] = _setting(
        (),
        _ACCESS,
        "A key, or NAME:KEY to see it by name in metrics; may be given again. Other users of this "
        "machine see arguments: better PARAKEET_API_KEY or --api-key-file.",
        check=checks.api_keys,
        secret=True,
    )
    api_key_file: str | None = _setting(
        None, _ACCESS, "A file of keys, KEY or NAME:KEY, one a line; # begins a comment."
    )
    checkpoint_key: tuple[str, ...] = _setting(
        (),
        _ACCESS,
        "A secret that servers share, so that a stream may go on at another one; given again, the "
        "first signs, all are accepted. Better PARAKEET_CHECKPOINT_KEY or --checkpoint-key-file.",
        check=checks.checkpoint_keys,
        secret=True,
        default_in_words="a random one: streams go on at this server only",
    )
    checkpoint_key_file: str | None = _setting(
        None, _ACCESS, "A file of such secrets, one a line; # begins a comment."
    )
    no_auth: bool = _setting(False, _ACCESS, "Need no key, on any address.")
    wyoming_no_auth: bool = _setting(
        False, _ACCESS, "Let anybody use Wyoming, which knows no keys, on any address."
    )
    allow_origin: tuple[str, ...] = _setting(
        (),
        _ACCESS,
        "A site whose pages may open sockets here, such as https://example.org, or *; may be "
        "given again.",
    )
    open_metrics: bool = _setting(False, _ACCESS, "Show /metrics without a key.")

    upload_megabytes: int = _setting(
        _DEFAULT_LIMITS.upload_megabytes, _LIMITS, "Megabytes of one file.", least=1
    )
    upload_s: float = _setting(
        _DEFAULT_LIMITS.upload_s, _LIMITS, "Seconds of sound in one file.", above=0
    )
    message_bytes: int = _setting(
        _DEFAULT_LIMITS.message_bytes, _LIMITS, "Bytes of one message of a socket.", least=1024
    )
    messages_a_second: int = _setting(
        _DEFAULT_LIMITS.messages_a_second, _LIMITS, "Messages a second of one socket.", least=1
    )
    sockets_of_key: int = _setting(
        _DEFAULT_LIMITS.sockets_of_key, _LIMITS, "Open sockets of one key.", least=1
    )
    sockets_of_address: int = _setting(
        _DEFAULT_LIMITS.sockets_of_address, _LIMITS, "Open sockets of one address.", least=1
    )
    uploads_of_key: int = _setting(
        _DEFAULT_LIMITS.uploads_of_key, _LIMITS, "Uploads at once of one key.", least=1
    )
    idle_s: float = _setting(
        _DEFAULT_LIMITS.idle_s, _LIMITS, "Seconds without a message until a socket ends.", above=0
    )
    session_s: float = _setting(
        _DEFAULT_LIMITS.session_s, _LIMITS, "Seconds that a socket may last.", above=0
    )
    phrases: int = _setting(
        _DEFAULT_LIMITS.phrases, _LIMITS, "Phrases that one stream may boost.",
        least=0, most=MOST_PHRASES,
    )  # fmt: skip
    unread_events: int = _setting(
        _DEFAULT_LIMITS.unread_events, _LIMITS, "Events that a client may leave unread.", least=1
    )
    unread_s: float = _setting(
        _DEFAULT_LIMITS.unread_s, _LIMITS, "Seconds for which a client may read nothing.", above=0
    )
    checkpoint_s: float = _setting(
        _DEFAULT_LIMITS.checkpoint_s,
        _LIMITS,
        "Seconds for which a stream may go on from a checkpoint.",
        above=0,
        most=MOST_CHECKPOINT_S,
    )
    checkpoint_bytes: int = _setting(
        _DEFAULT_LIMITS.checkpoint_bytes,
        _LIMITS,
        "Bytes of one checkpoint; larger ones are not made.",
        least=1024,
        most=CHECKPOINT_BYTES,
    )
    request_s: float = _setting(
        20.0, _LIMITS, "Seconds until the first request of a connection.", above=0
    )
    ping_s: float = _setting(20.0, _LIMITS, "Seconds between pings of a socket.", above=0)
    ping_timeout_s: float = _setting(
        60.0, _LIMITS, "Seconds until a client that answers no ping is gone.", above=0
    )

    replicas: int | None = _setting(
        None, _REPLICAS, "Servers like this one behind one address, with a model each.", least=1,
        most=10_000, default_in_words="this process alone",
    )  # fmt: skip
    most_replicas: int | None = _setting(
        None, _REPLICAS, "Start more under load, up to so many.", least=1, most=10_000,
        default_in_words="as --replicas",
    )  # fmt: skip
    replica_gpus: float = _setting(
        0.0, _REPLICAS, "GPUs of each; 0.5 is half of one.", least=0, most=64
    )

    drain_s: float = _setting(
        60.0, _LOG, "Seconds for those inside after Ctrl-C or SIGTERM.", least=0, most=86_400
    )
    log_format: str = _setting(
        "text", _LOG, "text, or json: one object a line.", check=one_of(*LOG_FORMATS)
    )
    log_level: str = _setting(
        "info", _LOG, f"From this level on: {', '.join(LOG_LEVELS)}.", check=one_of(*LOG_LEVELS)
    )
    log_text: bool = _setting(
        False, _LOG, "Write what was said into the log, too; by default it never is."
    )

    @property
    def limits(self) -> Limits:
        """What one client may do."""
        return Limits(**{each.name: getattr(self, each.name) for each in fields(Limits)})


def about(name: str) -> About:
    """What is known of that setting."""
    (found,) = (each.metadata["about"] for each in fields(Settings) if each.name == name)
    assert isinstance(found, About)
    return found
