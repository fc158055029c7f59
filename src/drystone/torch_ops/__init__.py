"""Recurrent kernels as PyTorch code, one file each behind the interface in kernel.py."""
