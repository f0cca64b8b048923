"""Sample data, written for this project: short reviews where the order of words often decides."""
