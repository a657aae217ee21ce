"""The training program: `python -m labtui.engine RUN_DIR ATTEMPT` is the worker of one run.

warm          forks workers with torch loaded, from a process that lives as long as the supervisor
__main__      attaches to the run, then hands over
├── command   a program of the user's own, watched (no torch)
├── parallel  several processes, started by torch's launcher and watched (no torch)
│   └── rank          one of them: trains with the others
└── train     what a recipe describes, built and trained
    ├── loop          evaluate → save → break → step
    ├── pieces        a batch's gradient, within the memory there is
    ├── world         the processes that train together
    ├── samples       the splits on the device, in batches
    ├── metrics       counts on the device, scores from them
    ├── checkpoint    what survives
    └── baseline      what a constant would have scored
"""
