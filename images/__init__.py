"""Container images of the project."""
