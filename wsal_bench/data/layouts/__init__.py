"""One module per way in which published features lie on a disk."""
