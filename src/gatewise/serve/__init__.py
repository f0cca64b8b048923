"""What everything of ours that answers HTTP has in common: safe answers, loopback, a quiet end."""
