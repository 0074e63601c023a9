"""Training core of RingRift: rules engine, players and the stages of the pipeline."""
