"""The clouds' resources, a module for each kind: imported only when a stack chooses it, as its package is optional."""
