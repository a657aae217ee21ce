"""`python -m labtui` is the command `labtui`."""

from labtui.cli import main

if __name__ == "__main__":
    main()
