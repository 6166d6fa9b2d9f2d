"""What runs in the drill's pod, and its manifest."""
