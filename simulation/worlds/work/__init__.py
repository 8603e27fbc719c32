"""The work world: `spec` (what it is), `kernel` (what a person does in it), `agent` (its Mesa agent)."""
