"""People who do not exist: valid event streams of any rate, without a simulation behind them."""
