"""Floor 5: a local server that speaks the SageMaker Runtime protocol."""
