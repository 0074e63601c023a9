"""`ringrift-runner`, and `python -m ringrift_operator.runner`."""

from ringrift_core.entry import leave_working_folder_out


def main() -> None:
    """The entry point of the console script."""
    leave_working_folder_out()
    from ringrift_operator.runner.cli import main as run

    run()


if __name__ == "__main__":
    main()
