"""Features and truth on disk: readers of layouts, and the checks that every data set needs."""
