"""A request becomes cells, cells become results: options, stages, processes, locks, the store."""
