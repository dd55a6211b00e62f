"""The error tree, by what the caller can do; each error is also the builtin that one would guess.

```
ParakeetError
├── UsageError                     wrong use: mend the call
│   ├── ContextError               also ValueError          an impossible left-chunk-right context
│   ├── OptionError                also ValueError          no such option, or it does not fit
│   └── StreamClosedError          also RuntimeError        the stream has ended
├── InputError                     wrong input: mend the data
│   ├── AudioInputError            also ValueError          samples of wrong shape, type or value
│   ├── AudioFormatError           also ValueError          a file that is no audio, or is broken
│   ├── ModelFormatError           also ValueError          files of another kind of model
│   └── SnapshotError              also ValueError          bytes that are no usable snapshot
├── MissingError                   something is missing: install or fetch it
│   ├── AudioNotFoundError         also FileNotFoundError
│   ├── DeviceNotFoundError        also LookupError         no such microphone, or none at all
│   ├── ModelNotFoundError         also FileNotFoundError   no such folder, name or hub id
│   ├── ModelPartMissingError      also FileNotFoundError   a folder lacks one of its files
│   ├── ProviderMissingError       also RuntimeError        an execution provider
│   └── ExtraMissingError          also ImportError         an optional dependency
├── UnavailableError               not available now: try again later, or elsewhere
│   ├── CapacityError              also RuntimeError        no room for one more stream
│   ├── EngineFailedError          also RuntimeError        the engine's worker has broken
│   ├── DeviceError                also OSError             a microphone is held, or is gone
│   ├── DownloadError              also OSError             the hub did not answer as it should
│   └── FileAccessError            also OSError             a file that may not, or cannot, be read
└── ComputeError                   also RuntimeError        a computation failed: report it
```

Every message says what is wrong and what to do about it.
"""

from __future__ import annotations


class ParakeetError(Exception):
    """Any error that this package raises on purpose."""


class UsageError(ParakeetError):
    """The call cannot work as it was made; mend the call."""


class InputError(ParakeetError):
    """The data are not what they should be; mend the data."""


class MissingError(ParakeetError):
    """Something is not on this machine; install it or fetch it."""


class UnavailableError(ParakeetError):
    """Something cannot be had at the moment; try again later, or on another machine."""


class ComputeError(ParakeetError, RuntimeError):
    """A computation of a model failed although the call was right, such as out of memory."""


class ContextError(UsageError, ValueError):
    """An impossible left-chunk-right context."""


class OptionError(UsageError, ValueError):
    """An option that does not exist or does not fit the others."""


class StreamClosedError(UsageError, RuntimeError):
    """The stream or its engine has ended; open a new one."""


class AudioInputError(InputError, ValueError):
    """Samples of the wrong shape, type or value; nothing of that call was taken."""

    unusable_samples: int = 0
    """How many there were, where it is their values that cannot be used."""


class AudioFormatError(InputError, ValueError):
    """A file that is no audio, or is broken."""


class ModelFormatError(InputError, ValueError):
    """Files that are no Parakeet TDT or RNN-T export."""


class SnapshotError(InputError, ValueError):
    """Bytes that are no snapshot of a stream, are damaged, or belong to another model."""


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


class CapacityError(UnavailableError, RuntimeError):
    """No room for one more stream; those that are open go on."""


class EngineFailedError(UnavailableError, RuntimeError):
    """The worker of this engine has broken; its streams have ended, and it opens no more."""


class DeviceError(UnavailableError, OSError):
    """A microphone that cannot be opened, or that stopped while it recorded."""


class DownloadError(UnavailableError, OSError):
    """The hub did not answer as it should."""


class FileAccessError(UnavailableError, OSError):
    """A file that is there and that the system does not let be read: permission, a failing disk."""
