"""From files to texts and labels: tables, their checks, splits and batches."""
