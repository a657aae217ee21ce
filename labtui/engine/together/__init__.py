"""Trainings that differ in numbers only, done as one: K models as one model of stacked weights.

A step of a small model takes longer to call than to compute. Here one call takes a step of all: weights lie in
a matrix of a row for each training, `torch.func.vmap` puts the model over its rows, and each row has its own
samples, learning rate, optimiser numbers, dropout masks and end. All else of a training is its own and as it
is alone: a run directory with records, checkpoints, artifacts and result, that no reader can tell from those
of a run alone, and that either kind of worker can go on with.

- `apart`: why some cannot be done together. `prepare`: the parts of each, what is alike being shared.
- `functional`: a model as a function of its weights and masks. `noise`: draws the masks.
- `stack`: the matrix of weights, its gradient and its step, which `tidy` makes a plain list of operations.
  `optimizers`: each row with its own numbers. `feed`: what each row sees.
- `member`: one training. `group`: the loop that all go through, some steps (`block`) at a time.
- `measure`: whether together is faster than apart.
- `worker`: `python -m labtui.engine --together`.
"""
