"""Speech corpora, as waveforms or as features computed elsewhere (the emotion notebook)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from labtui.recipe.spec import Part, Spec


class Corpus(Part):
    """Utterances with a class each."""

    path: str = "data/speech_simulated"
    """Folder of the corpus, relative to the lab. `labtui data make speech` writes one."""
    layout: Literal["files", "iemocap", "meld"] = "iemocap"
    """Where classes and speakers stand: in the files' names, in IEMOCAP's EmoEvaluation files, or in
    MELD's CSV files, with which its official split comes (its videos' sound has to be written beside them,
    such as `ffmpeg -i dia0_utt0.mp4 dia0_utt0.wav`)."""
    files: str | None = Field(None, min_length=1)
    """Where an utterance's file is below `path`. layout = "files": a pattern with {label}, perhaps
    {speaker}, {} and {any_name} for the rest, such as "{label}_{speaker}_{take}.wav"; else a template with
    {session}, {dialog} and {utterance} (iemocap), or {part}, {folder} and {utterance} (meld). Absent: as
    the corpus comes."""
    classes: list[str] = []
    """Labels that are used, in this order; "hap+exc" makes one class of two. Empty: ang, hap+exc, neu and
    sad (iemocap), all seven (meld), or all that there are."""
    test: dict[str, list[str]] = {}
    """layout = "files": values of the pattern's fields whose utterances are the test split, such as
    take = ["0", "1"], for `validate.scheme = "file"`."""
    groups: Literal["speaker", "none"] = "speaker"
    """What stays on one side of a split: all of a speaker's utterances (honest), or each by itself."""
    on_error: Literal["fail", "skip"] = "fail"
    """An utterance that cannot be used ends the run, or is left out and counted."""
    cache: str = "runs/.labtui/cache"
    """Folder for what was read (four bytes a value: 1.6 GB for IEMOCAP's waves), relative to the lab. It is made
    once for each choice of the options and used by all runs; whatever is in it may be removed."""
    teacher: str | None = Field(None, min_length=1)
    """What a teacher makes of the utterances, for a `distillation` loss: an .npz file relative to the lab, or a
    run that wrote one (`checkpoints.teacher`), by its id or as "@best:val.uar where name=emotion-teacher"."""

    @model_validator(mode="after")
    def _test_by_name(self) -> Self:
        if self.test and self.layout != "files":
            raise ValueError('test is for layout = "files": the other layouts say themselves what it is')
        return self

    FILES: ClassVar[dict[str, str]] = {}
    """Layout to its `files`."""

    def options(self) -> dict[str, Any]:
        """As for each part, with `files` as the layout has them."""
        return super().options() | {"files": self.files or self.FILES[self.layout]}


class Augment(Spec):
    """Random changes of training waves, drawn anew each time an utterance is used."""

    speed: float = Field(0.1, ge=0, le=1)
    """Each is up to this share faster or slower, and higher or lower with it (Ko et al. 2015, "Audio
    augmentation for speech recognition": 0.1)."""
    shift: float = Field(0.0, ge=0)
    """Each has so many seconds of silence around it, and lies somewhere in them; in evaluation in the middle.
    What a network with strides sees depends on where a wave begins: with the product of the strides here it
    learns all of that."""
    noise: float = Field(0.0, ge=0)
    """White noise has a standard deviation drawn from U(0, noise), in the unit of the values behind the
    norm: with one, that is a share of their deviation."""


class Speech(Corpus):
    """Recordings of speech: WAV, or what else libsndfile reads."""

    factory_path: ClassVar[str] = "labtui.data.speech:speech"

    name: Literal["speech"] = "speech"
    """Which data set."""
    rate: int = Field(16_000, ge=1000)
    """Samples a second; recordings of another rate are resampled."""
    longest: float | None = Field(None, gt=0)
    """Seconds after which an utterance is cut; absent: never."""
    features: Literal["wave", "stft", "mel"] = "wave"
    """What the model sees: samples (T,), or a power spectrogram (1, T', bins) or its mel bands, in dB: 80 is
    the loudest value of each utterance, 0 what is 80 dB below it, and what is behind its end."""
    n_fft: int = Field(512, ge=16)
    """Samples of a spectrogram's window (32 ms)."""
    hop: int = Field(160, ge=1)
    """Samples from one frame to the next (10 ms)."""
    mels: int = Field(64, ge=1)
    """Mel bands."""
    norm: Literal["none", "utterance", "train"] = "none"
    """Subtract the mean of all samples, or of each bin of spectrograms, and divide by their deviation: of each
    utterance, or of the training split."""
    augment: Augment | None = None
    """Random changes of training waves; absent: none."""

    @model_validator(mode="after")
    def _changes_waves(self) -> Self:
        if self.augment is not None and self.features != "wave":
            raise ValueError('augment is for waves: set features = "wave" or leave it out')
        return self

    FILES: ClassVar[dict[str, str]] = {
        "files": "{label}/{}.wav",
        "iemocap": "Session{session}/sentences/wav/{dialog}/{utterance}.wav",
        "meld": "{folder}/{utterance}.wav",
    }


class SpeechFeatures(Corpus):
    """Frames of features of speech, a file for each utterance: openSMILE's CSV, or .npy (VGGish)."""

    factory_path: ClassVar[str] = "labtui.data.speech:speech_features"

    name: Literal["speech_features"] = "speech_features"
    """Which data set."""
    path: str = "data/speech_features_simulated"
    """Folder of the corpus, relative to the lab. `labtui data make speech_features` writes one."""
    width: int = Field(130, ge=1)
    """Features of a frame: 130 low-level descriptors of ComParE (65 and their differences); 128 of VGGish."""
    frames: int | None = Field(600, ge=1)
    """Frames after which an utterance is cut; absent: never. Shorter ones are padded to the longest of their
    batch, and the model is told how long they are."""
    down: int = Field(1, ge=1)
    """One frame of so many, after a low-pass filter: scipy.signal.resample_poly(x, 1, down)."""
    norm: Literal["none", "utterance", "train"] = "train"
    """Subtract the mean of each feature and divide by its deviation: of each utterance, or of the training
    split."""

    FILES: ClassVar[dict[str, str]] = {
        "files": "{label}/{}.csv",
        "iemocap": "compare/{utterance}.csv",
        "meld": "compare/{part}/{utterance}.csv",
    }
