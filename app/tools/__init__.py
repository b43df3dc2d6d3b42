"""The tools of the left column: Explore, Observe, Perturb."""
