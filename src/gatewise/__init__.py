"""Gatewise: the LSTM toolkit for text."""
