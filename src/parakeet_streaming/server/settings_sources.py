"""Command line, environment and settings file in; settings out. Alone imports pydantic_settings.

Rules of this file:

1. The command line counts before the environment, that before the file, that before the default.
2. A message names the setting as it was written where it was written, and shows no key.
3. Of two settings that exclude each other the one from the higher place counts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, get_type_hints

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, create_model
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server.settings import Settings, about

PREFIX: Final = "PARAKEET_"
_NAMES: Final = tuple(each.name for each in fields(Settings))
_EXCLUDING: Final = (("context", "preset"), ("api_key", "no_auth"), ("api_key_file", "no_auth"))


@dataclass(frozen=True, slots=True)
class _Places:
    """Where each setting was written."""

    given: Mapping[str, object]
    environment: Mapping[str, str]
    file: Mapping[str, object]
    path: str | None

    def rank(self, name: str) -> int:
        """0 for the place that counts most."""
        places = (name in self.given, bool(self.environment.get(variable(name))), name in self.file)
        return places.index(True) if True in places else len(places)

    def called(self, name: str) -> str:
        """The setting as it is written there."""
        ways = (option(name), variable(name), f"{name} in {self.path}", name)
        return ways[self.rank(name)]


def option(name: str) -> str:
    """What it is called on the command line."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """What it is called in the environment."""
    return PREFIX + name.upper()


def read_settings(
    given: Mapping[str, object], environment: Mapping[str, str], path: str | None = None
) -> Settings:
    """The settings.

    Args:
        given: what stands on the command line.
        environment: all variables.
        path: the settings file, in TOML; by default the one that `PARAKEET_CONFIG` names.

    Raises:
        OptionError: a value that cannot be used, an unknown name, or a file that cannot be read.
    """
    path = path or environment.get(PREFIX + "CONFIG") or None
    # Kubernetes sets this for a service that is called parakeet; it is no port of ours.
    environment = {
        name: text
        for name, text in environment.items()
        if not (name == variable("port") and text.startswith("tcp://"))
    }
    places = _Places(given, environment, {} if path is None else _read_file(path), path)
    try:
        read = _sources(places)()
    except ValidationError as error:
        raise OptionError(_in_words(error, places)) from None
    values = {name: getattr(read, name) for name in _NAMES}
    for one, other in _EXCLUDING:
        _exclude(one, other, values, places)
    return Settings(**values)


def _read_file(path: str) -> dict[str, object]:
    try:
        with Path(path).open("rb") as file:
            read = tomllib.load(file)
    except OSError as error:
        raise OptionError(f"the settings file {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"the settings file {path} is no TOML: {error}") from None
    values = {name.replace("-", "_"): value for name, value in read.items()}
    for name in values:
        if name not in _NAMES:
            near = get_close_matches(name, _NAMES, 1)
            hint = f"; do you mean {near[0]}?" if near else ""
            raise OptionError(f"{name} in {path} is no setting{hint}")
    return values


def _sources(places: _Places) -> type[BaseSettings]:
    """A class of pydantic's that reads these places."""

    class Sources(BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix=PREFIX, env_ignore_empty=True, protected_namespaces=()
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            written = {
                name: places.environment[variable(name)]
                for name in _NAMES
                if places.environment.get(variable(name))
            }
            return tuple(
                InitSettingsSource(settings_cls, init_kwargs=dict(values))
                for values in (places.given, written, places.file)
            )

    types = get_type_hints(Settings)
    made: dict[str, Any] = {
        each.name: (_type(each.name, types), each.default) for each in fields(Settings)
    }
    return create_model("ServerSettings", __base__=Sources, **made)


def _type(name: str, types: Mapping[str, Any]) -> Any:  # noqa: ANN401
    known, kind = about(name), types[name]
    if (known.least, known.above, known.most) != (None, None, None):
        bounds = Field(ge=known.least, gt=known.above, le=known.most, allow_inf_nan=False)
        kind = Annotated[kind, bounds]
    elif kind is str:
        kind = Annotated[str, Field(min_length=1)]
    if kind == tuple[str, ...]:
        kind = Annotated[kind, BeforeValidator(_as_list)]
    if known.check is None:
        return kind
    return Annotated[kind, AfterValidator(_unless_none(known.check))]


def _unless_none(check: Any) -> Any:  # noqa: ANN401
    return lambda value: None if value is None else check(value)


def _as_list(value: object) -> object:
    """Variables hold several with commas between them; a file may hold one as it is."""
    if isinstance(value, str):
        return [each.strip() for each in value.split(",") if each.strip()]
    return value


def _exclude(one: str, other: str, values: dict[str, Any], places: _Places) -> None:
    if not values[one] or not values[other]:
        return
    ranks = places.rank(one), places.rank(other)
    if ranks[0] == ranks[1]:
        raise OptionError(f"{places.called(one)} and {places.called(other)} exclude each other")
    loser = one if ranks[0] > ranks[1] else other
    values[loser] = next(each.default for each in fields(Settings) if each.name == loser)


def _in_words(error: ValidationError, places: _Places) -> str:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if name not in _NAMES:
        return f"{name} is no setting"
    reason = first["msg"].removeprefix("Value error, ")
    reason = reason[:1].lower() + reason[1:]
    shown = "" if about(name).secret else f" {first['input']}"
    return f"{places.called(name)}{shown}: {reason}"
