"""The network: its architecture, its training, and its form for ONNX Runtime. The only part that imports torch."""
