"""The report on one training, section by section."""

from labtui.report.document import Section
from labtui.report.run import (
    confusion,
    curves,
    data,
    diagnosis,
    embedding,
    hyperparameters,
    model,
    notes,
    overview,
    reproduce,
    results,
    training,
    weights,
)
from labtui.report.run.document import Document

SECTIONS: dict[str, Section[Document]] = {
    "overview": Section("How it ended, description, tags", overview.section),
    "hyperparameters": Section("Hyper-parameters", hyperparameters.section),
    "model": Section("Model", model.section),
    "data": Section("Data", data.section),
    "training": Section("Training, epoch by epoch", training.section, ("log.csv",)),
    "curves": Section("Curves", curves.section, ("loss.png", "score.png", "others.png")),
    "results": Section("Result", results.section),
    "confusion": Section("Confusion matrix and classes", confusion.section, confusion.FILES),
    "embedding": Section("Embedding of the validation samples", embedding.section, (embedding.FILE,)),
    "diagnosis": Section("Diagnosis", diagnosis.section),
    "weights": Section("Weights and gradients", weights.section, weights.FILES),
    "observations": Section("Observations", notes.observations),
    "todos": Section("To do", notes.todos),
    "reproduce": Section("How to run it again", reproduce.section),
    "options": Section("Every option", hyperparameters.every),
}
"""By the names that `--section` takes, in their order."""
