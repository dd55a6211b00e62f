"""The error tree: every error raised on purpose here, each also the builtin one would guess.

```
ParakeetError
├── UsageError                     you called it wrongly
│   ├── ContextError               also ValueError     impossible left-chunk-right context
│   ├── AudioInputError            also ValueError     samples of the wrong shape, type or value
│   ├── OptionError                also ValueError     an option that does not exist or does not fit
│   └── StreamClosedError          also RuntimeError   feeding a stream that has ended
├── MissingError                   something that is not on this machine
│   ├── AudioNotFoundError         also FileNotFoundError
│   ├── DeviceNotFoundError        also LookupError         no such microphone, or none at all
│   ├── ModelNotFoundError         also FileNotFoundError   no such folder, name or hub id
│   ├── ModelPartMissingError      also FileNotFoundError   a folder lacks one of its files
│   ├── ProviderMissingError       also RuntimeError   an execution provider not offered here
│   ├── ExtraMissingError          also ImportError         an optional dependency
│   └── CapacityError              also RuntimeError        room for one more stream
└── ForeignError                   something from outside that is not what it should be
    ├── AudioFormatError           also ValueError     a file that is no audio, or is broken
    ├── DeviceError                also OSError        a microphone that does not open, or is gone
    ├── ModelFormatError           also ValueError     files of another kind of model
    └── DownloadError              also OSError        the hub did not answer as it should
```

Every message says what is wrong and what to do about it.
"""

from __future__ import annotations


class ParakeetError(Exception):
    """Any error this package raises on purpose."""


class UsageError(ParakeetError):
    """The caller did something that cannot work."""


class MissingError(ParakeetError):
    """Something that should be on this machine is not."""


class ForeignError(ParakeetError):
    """Something from outside is not what it should be."""


class ContextError(UsageError, ValueError):
    """An impossible left-chunk-right context."""


class AudioInputError(UsageError, ValueError):
    """Samples of the wrong shape, type or value; nothing of that call was taken."""


class OptionError(UsageError, ValueError):
    """An option that does not exist or does not fit the others."""


class StreamClosedError(UsageError, RuntimeError):
    """The stream has ended; open a new one."""


class AudioNotFoundError(MissingError, FileNotFoundError):
    """No such audio file."""


class DeviceNotFoundError(MissingError, LookupError):
    """No such microphone, or none at all."""


class ModelNotFoundError(MissingError, FileNotFoundError):
    """No such model folder, built-in name or hub id."""


class ModelPartMissingError(MissingError, FileNotFoundError):
    """A model folder lacks one of its files."""


class ProviderMissingError(MissingError, RuntimeError):
    """An execution provider that this machine's runtime does not offer."""


class ExtraMissingError(MissingError, ImportError):
    """An optional dependency that is not installed."""


class CapacityError(MissingError, RuntimeError):
    """No room for one more stream; those that are open go on."""


class AudioFormatError(ForeignError, ValueError):
    """A file that is no audio, or is broken."""


class DeviceError(ForeignError, OSError):
    """A microphone that cannot be opened, or that stopped while it recorded."""


class ModelFormatError(ForeignError, ValueError):
    """Files that are no Parakeet TDT or RNN-T export."""


class DownloadError(ForeignError, OSError):
    """The hub did not answer as it should."""
