"""The components for programs in YAML, TypeScript, Go and whatever else Pulumi knows (docs/languages.md)."""
