"""Music of several genres (the genre notebook)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from labtui.recipe.spec import Part, Spec

Range = Annotated[tuple[float, float], Field(strict=False)]


class Augment(Spec):
    """Random changes of spectrograms, as of pictures: torchvision's RandomResizedCrop and
    RandomHorizontalFlip, whose defaults these are."""

    scale: Range = (0.08, 1.0)
    """Smallest and largest share of the spectrogram that is cut out, to be stretched over all of it."""
    ratio: Range = (3 / 4, 4 / 3)
    """Smallest and largest width of what is cut out for its height, relative to the spectrogram's own."""
    flip: float = Field(0.5, ge=0, le=1)
    """Probability of a reversal."""
    flipped: Literal["frames", "bins"] = "frames"
    """What is reversed: time, or the order of the bins (the notebook's: its pictures' width)."""
    in_evaluation: bool = False
    """Change what is validated and tested on, too (each sample in one random way that stays): the
    notebook's flaw, which makes scores worse and noisier than the model."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not 0 < self.scale[0] <= self.scale[1] <= 1 or not 0 < self.ratio[0] <= self.ratio[1]:
            raise ValueError("scale must be 0 < smallest <= largest <= 1, and ratio 0 < smallest <= largest")
        return self


class Music(Part):
    """Clips of tracks, of one genre each: as waves, as spectrograms, or as both."""

    factory_path: ClassVar[str] = "labtui.data.music:music"

    name: Literal["music"] = "music"
    """Which data set."""
    path: str = "data/music_simulated"
    """Folder of the data, relative to the lab. `labtui data make music` writes one."""
    layout: Literal["fma", "folders"] = "fma"
    """The Free Music Archive's (`fma_metadata/tracks.csv`, and `fma_<subset>/NNN/NNNNNN.mp3`), whose split
    is official; or a folder of tracks for each genre, as GTZAN has it."""
    subset: Literal["small", "medium", "large", "full"] = "small"
    """Which subset of the archive; small: 8,000 tracks of 8 genres."""
    leave_out: list[int] = [98565, 98567, 98569, 99134, 108925, 133297]
    """Tracks of the archive that are not used: by default the six of `small` that are broken."""
    on_error: Literal["fail", "skip"] = "fail"
    """A track that cannot be used ends the run, or is left out and counted."""
    rate: int | None = Field(None, ge=1000)
    """Samples a second that all tracks are resampled to; absent: each track's own, as in the notebook,
    so that a clip's duration and the mel bins depend on the track."""
    clip: int = Field(2**18, ge=1)
    """Samples of a clip; 5.94 s at 44,100 Hz."""
    clips: Literal["random", "centre"] = "random"
    """Where a clip is taken from when training: anywhere, anew each time, or the middle of what is kept. When
    evaluating it is the middle."""
    kept: int = Field(1_320_000, ge=1)
    """Samples of a track from which random clips are taken: its middle, 29.9 s at 44,100 Hz. Tracks are kept
    decoded, of one length; shorter ones are repeated up to it."""
    cache: str = "runs/.labtui/cache"
    """Folder for decoded tracks, relative to the lab: two bytes for each sample that is kept (21 GB for
    FMA-small); and for the spectrograms of clips that are always the same. They are made once for each choice
    of the options and used by all runs; whatever is in it may be removed."""
    features: Literal["wave", "stft", "mel", "both"] = "mel"
    """What the model sees: the wave; its power spectrum or mel spectrum in decibels below the sample's
    maximum (1, frames, bins); or the wave and behind it the mel spectrum, as one row for `mixnet`."""
    n_fft: int = Field(4096, ge=2)
    """Samples of a window of the spectrogram."""
    hop: int = Field(2048, ge=1)
    """Samples from one window to the next."""
    mels: int = Field(513, ge=1)
    """Mel bins."""
    frames: int = Field(128, ge=1)
    """Frames of a spectrogram that are kept, its first."""
    norm: Literal["none", "train", "notebook", "min_max", "sample", "batch"] = "train"
    """What is seen is left as it is; has the training split's mean 0 and deviation 1; is wave / 0.21469156 and
    (spectrogram - 1.0784853) / 4.0071154, the notebook's constants; goes from 0 to 1 in each sample (for
    autoencoders); has mean 0 and deviation 1 in each sample; or in each batch."""
    pca: float | None = Field(None, gt=0, le=1)
    """Replace the bins by the principal components of the training split's frames that keep this share of
    their variance (the notebook: 0.99); absent: by none. The number of components sets the spectrogram's
    width."""
    augment: Augment | None = None
    """Random changes of training spectrograms; absent: none."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.clips == "random" and self.kept < self.clip:
            raise ValueError(f"kept = {self.kept} samples are fewer than a clip of {self.clip}")
        if self.hop > self.n_fft:
            raise ValueError(f"hop = {self.hop} leaves out samples between windows of n_fft = {self.n_fft}")
        there = 1 + self.clip // self.hop
        if self.features != "wave" and self.frames > there:
            raise ValueError(
                f"a clip of {self.clip} has {there} frames: lower frames = {self.frames} or the hop"
            )
        if self.features == "wave" and (self.pca is not None or self.augment is not None):
            raise ValueError('pca and augment are for spectrograms, and features = "wave" has none')
        if self.features == "both" and self.pca is not None:
            raise ValueError('pca changes the number of bins, which features = "both" has to know before')
        return self
