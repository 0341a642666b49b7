"""Likelihood ratios of comparisons, fitted and tested on recorded tracks."""
