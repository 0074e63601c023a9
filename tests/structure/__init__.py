"""What the modules of the Rust engine use, and whether that goes in circles."""
