"""Stand-in for `pulumi-resource-pulumi-python`, which runs dynamic resources."""
