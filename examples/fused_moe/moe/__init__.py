"""A mixture-of-experts layer in plain PyTorch: route, dispatch, run the experts, combine."""
