"""Two small trainings with PyTorch Lightning: `lightning_fit.py fnirs|digits EPOCHS`."""

import sys

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Module(lightning.LightningModule):
    def __init__(self, model, loss, right):
        super().__init__()
        self.model, self.loss, self.right = model, loss, right

    def training_step(self, batch, number):
        x, y = batch
        loss = self.loss(self.model(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, number):
        x, y = batch
        output = self.model(x)
        self.log_dict({"val_loss": self.loss(output, y), "val_acc": self.right(output, y)})

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 1e-3)


def fnirs():
    net = nn.Sequential(
        nn.Conv3d(100, 1, 1), nn.MaxPool3d((2, 2, 1)), nn.Flatten(), nn.Linear(22, 9), nn.Sigmoid()
    )
    x, y = torch.randn(640, 100, 5, 22, 1), (torch.randn(640, 9) > 1).float()
    loss = nn.MultiLabelSoftMarginLoss()
    return TensorDataset(x, y), Module(net, loss, lambda out, y: ((out > 0.5) == y).float().mean()), 1


def digits():
    from sklearn.datasets import load_digits

    table = load_digits()
    x, y = torch.tensor(table.images / 16).float()[:, None], torch.tensor(table.target)
    net = nn.Sequential(
        *(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 8, 3, padding=1), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(128, 16), nn.ReLU()),
        *(nn.Dropout(0.3), nn.Linear(16, 10)),
    )
    right = lambda out, y: (out.argmax(1) == y).float().mean()  # noqa: E731
    return TensorDataset(x, y), Module(net, nn.CrossEntropyLoss(), right), 64


torch.set_num_threads(1)
lightning.seed_everything(0)
data, module, size = {"fnirs": fnirs, "digits": digits}[sys.argv[1]]()
assert sum(p.numel() for p in module.parameters()) == {"fnirs": 308, "digits": 2570}[sys.argv[1]]
train, val = random_split(data, [0.8, 0.2])
trainer = lightning.Trainer(
    accelerator="cpu",
    max_epochs=int(sys.argv[2]),
    logger=CSVLogger("."),
    callbacks=[ModelCheckpoint(monitor="val_loss", save_last=True)],
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(module, DataLoader(train, size, shuffle=True), DataLoader(val, 256))
