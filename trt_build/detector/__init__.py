"""The grey face detector: scenes made of faces and backgrounds, training, evaluation and export."""
