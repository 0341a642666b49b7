"""The grey face detector: training and export."""
