"""The only place that talks to an API server: reads the world, carries out plans, reports (design.md section 5)."""
