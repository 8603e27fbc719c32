"""What exactly-once costs, measured: frames through two hops of real lanes, with transactions and without."""
