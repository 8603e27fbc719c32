"""What a score rests on: importances of past tokens by several methods, and which of the methods is faithful."""
