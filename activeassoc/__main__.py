"""``python -m activeassoc``: the command, where the script is not on the path."""

from activeassoc.cli import main

if __name__ == "__main__":
    main()
