"""Benchmarks: what the components cost beside a straight-line program, and what planning costs. `make bench`."""
