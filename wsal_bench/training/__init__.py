"""The training loop and what it needs: samplers, reading, checkpoints, history."""
