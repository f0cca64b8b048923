"""Training: one plain loop, its schedule, its checks and its metrics."""
