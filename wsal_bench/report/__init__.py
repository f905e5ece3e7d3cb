"""Stored runs become tables, documents and pictures; pure functions, no torch."""
