"""`python -m ringrift_operator`: the same as `ringrift-operator`."""

from ringrift_operator.cli import main

main()
