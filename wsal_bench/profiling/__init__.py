"""Where the time goes: the alignment kernels against their definition, and a training step."""
