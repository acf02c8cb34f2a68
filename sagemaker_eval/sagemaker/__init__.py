"""Floor 3: SageMaker Runtime itself: session, wire format, transport and the table of its faults."""
