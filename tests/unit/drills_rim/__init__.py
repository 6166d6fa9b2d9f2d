"""The rim of the drills: target, faults, load, runner and command line, on a cluster that is only data."""
