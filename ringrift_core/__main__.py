"""`python -m ringrift_core`: the same as `ringrift`."""

from ringrift_core.cli import main

main()
