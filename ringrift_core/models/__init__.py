"""What the registry of a store holds, for people: looked at, checked, taken along, and moved by hand."""
