"""Floor 6: the plan, the engine that carries it out, and the durable record of what happened."""
