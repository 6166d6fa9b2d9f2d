"""Resources whose state is Kafka's own: `pulumi refresh` reads it, `pulumi up` repairs it.

They are dynamic resources: their code runs in a process of Pulumi's SDK (`python -m pulumi.dynamic`), started in the
project's folder, which finds the classes here by their names.
"""
