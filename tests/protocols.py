"""A protocol and what should satisfy it in; what it lacks, out: at run time, by signature."""

import inspect


def members_of(protocol):
    """Public members that a protocol declares, by name."""
    return {
        name: member
        for name, member in vars(protocol).items()
        if not name.startswith("_") and (callable(member) or isinstance(member, property))
    }


def missing_from(thing, protocol):
    """Members that `thing` lacks, or that cannot be called as the protocol's are."""
    return {
        name
        for name, member in members_of(protocol).items()
        if not hasattr(thing, name)
        or (callable(member) and not _is_called_alike(getattr(thing, name), member))
    }


def _is_called_alike(own, declared):
    """Whether a call that the protocol allows binds in the same way, by place and by name."""
    wanted = list(inspect.signature(declared).parameters.values())[1:]
    given = list(inspect.signature(own).parameters.values())
    extra = given[len(wanted) :]
    return (
        [(each.name, each.kind) for each in given[: len(wanted)]]
        == [(each.name, each.kind) for each in wanted]
        and all(
            own_one.default == wanted_one.default or wanted_one.default is wanted_one.empty
            for own_one, wanted_one in zip(given, wanted, strict=False)
        )
        and all(each.default is not each.empty for each in extra)
    )
