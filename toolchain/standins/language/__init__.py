"""Stand-in for Pulumi's Python language host: runs programs, policy packs and plugins written in Python."""
