"""Segments for new videos: a trained method, files of features, and the forms of the outcome."""
