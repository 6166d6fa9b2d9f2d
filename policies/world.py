"""All objects that a judgement sees: by kind and name, and whether there may be more."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from policies.manifest import Manifest

PENDING = "not every resource has been seen yet"


class World:
    """The objects of a stack, or of a set of manifests. `complete` is False while more may come."""

    def __init__(self, manifests: Iterable[Manifest] = (), complete: bool = True) -> None:
        self.complete = complete
        self._kinds: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        self._spaces: dict[tuple[str, str, str | None], list[Manifest]] = defaultdict(list)
        self._names: dict[tuple[str, str, str, str | None], list[Manifest]] = defaultdict(list)
        for one in manifests:
            self.add(one)

    def add(self, one: Manifest) -> None:
        """One more object."""
        self._kinds[one.group, one.kind].append(one)
        self._spaces[one.group, one.kind, one.namespace].append(one)
        self._names[one.group, one.kind, one.name, one.namespace].append(one)

    def of(self, group: str, kind: str) -> tuple[Manifest, ...]:
        """All objects of a kind."""
        return tuple(self._kinds.get((group, kind), ()))

    def near(self, group: str, kind: str, owner: Manifest) -> Iterator[Manifest]:
        """The objects of a kind that are in the owner's namespace, or may be."""
        if owner.namespace is None:
            yield from self.of(group, kind)
        else:
            for namespace in (owner.namespace, None):
                yield from self._spaces.get((group, kind, namespace), ())

    def find(self, group: str, kind: str, name: str, namespace: str | None) -> Manifest | None:
        """The object of that name and namespace; one in a namespace that is not known may be it."""
        if namespace is None:
            return next((one for one in self.of(group, kind) if one.name == name), None)
        found = self._names.get((group, kind, name, namespace)) or self._names.get((group, kind, name, None))
        return found[0] if found else None

    def missing(self, what: str) -> str:
        """Why an object that is not here leaves a rule undecided."""
        return f"{what} is not among these resources" if self.complete else PENDING


def together(one: Manifest, other: Manifest) -> bool | None:
    """Whether two objects share a namespace; None while that is not known."""
    return None if None in (one.namespace, other.namespace) else one.namespace == other.namespace
