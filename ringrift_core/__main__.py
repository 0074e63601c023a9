"""`ringrift`, and `python -m ringrift_core`."""

from ringrift_core.entry import leave_when_told, leave_working_folder_out


def main() -> None:
    """The entry point of the console script."""
    leave_working_folder_out()
    leave_when_told()
    from ringrift_core.cli import main as run

    run()


if __name__ == "__main__":
    main()
