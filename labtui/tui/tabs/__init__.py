"""The sides of a run, one a file: to add one, write it and list it in `labtui.tui.tabs.all`."""
