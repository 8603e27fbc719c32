"""Public surfaces as they were last agreed on: a change shows in the diff of the file beside the test."""
