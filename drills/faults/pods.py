"""Pods that are deleted. Their StatefulSet makes them anew: there is nothing to undo."""

from drills.drill import Drill


def delete(drill: Drill, *pods: str, at_once: bool = False) -> None:
    """Asks for their deletion, all at the same time; `at_once` kills them."""
    drill.say(f"{'kill' if at_once else 'delete'} {', '.join(pods)}")
    for pod in pods:
        drill.kubernetes.delete_pod(drill.target.namespace, pod, 0 if at_once else None)
