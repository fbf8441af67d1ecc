"""``python -m nashgrid`` is the command line."""

from nashgrid.runs.command_line import main

if __name__ == "__main__":
    main()
