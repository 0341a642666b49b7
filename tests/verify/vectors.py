"""Made-up vectors, and people in a gallery that have them."""

import numpy as np

SHA = "a" * 64
RUNTIME = "onnxruntime 1.32.0 CPUExecutionProvider float32"


def vector(seed, length=16):
    values = np.random.default_rng(seed).normal(size=length).astype(np.float32)
    return values / np.linalg.norm(values)


def add(gallery, name, seed, embedder_sha256=SHA, embedder="dlib", length=16, quality=0.5):
    gallery.add(
        name, vector(seed, length), embedder=embedder, embedder_sha256=embedder_sha256, runtime=RUNTIME,
        source_name=f"{name}-{seed}.jpg", picture_sha256=f"{seed:064d}", quality=quality,
    )  # fmt: skip
