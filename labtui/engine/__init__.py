"""The training program: `python -m labtui.engine RUN_DIR ATTEMPT` is the worker of one run.

__main__      attaches to the run, then hands over
├── command   a program of the user's own, watched (no torch)
└── train     what a recipe describes, built and trained
    ├── loop          evaluate → save → break → step
    ├── samples       the splits on the device, in batches
    ├── metrics       counts on the device, scores from them
    ├── checkpoint    what survives
    └── baseline      what a constant would have scored
"""
