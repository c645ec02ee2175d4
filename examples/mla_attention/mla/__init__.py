"""A backend for multi-head latent attention in plain PyTorch: metadata, rotary cache, chunked prefill, decode."""
