"""What comparisons are worth as evidence: likelihood ratios, fitted and tested on recorded tracks."""
