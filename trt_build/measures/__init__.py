"""Figures computed from arrays: PSNR, SSIM, verification, bootstrap; nothing about files, networks or protocols."""
