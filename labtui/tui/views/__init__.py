"""The views of a sweep, one a file: to add one, write it and list it in `labtui.tui.views.all`."""
