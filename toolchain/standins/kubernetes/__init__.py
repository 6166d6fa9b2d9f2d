"""Stand-in for Pulumi's kubernetes resource plugin: its protocol over a real API server.

Any kind, custom resources too, by its type token and the cluster's discovery. See README.md for what differs
from the official plugin.
"""

# The official release whose behaviour this follows.
VERSION = "4.34.2"
