"""Pictures of results: one file per family, chosen by the kind of the dataset in `plot`."""
