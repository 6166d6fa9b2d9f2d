"""Stand-in for Pulumi's command plugin: `command:local:Command` and `command:local:run`."""
