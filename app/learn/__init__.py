"""Lessons: files that set the state, ask before they show, and have the answer computed."""
