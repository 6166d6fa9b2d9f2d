"""The ways to get a tool: on PATH, the official release, a build from the package registries."""
