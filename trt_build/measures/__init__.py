"""Figures of arrays: PSNR, SSIM, verification, bootstrap; they know no file, no network and no protocol."""
