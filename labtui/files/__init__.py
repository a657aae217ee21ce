"""The run directory on disk: names, atomic writes, locks, processes, the metric log's writer.

Standard library only, so that `import labtui` in a user's script stays light.
"""
