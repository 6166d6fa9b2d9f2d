"""Stand-ins for Pulumi plugins that cannot be had from the package registries.

Each sub-package is one plugin: a program that the Pulumi engine starts and speaks gRPC with. They are used
only where the official plugins are missing, and `make doctor` names them.
"""
