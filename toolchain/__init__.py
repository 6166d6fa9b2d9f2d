"""Gets the programs that this project needs and calls Pulumi with them: `python -m toolchain --help`."""
