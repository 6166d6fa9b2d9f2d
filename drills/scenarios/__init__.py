"""What happens in each drill, a few in a file. To add one: a function that takes the drill and starts faults
(`drills.faults`), and a `Scenario` around it in its file's SCENARIOS.
"""
