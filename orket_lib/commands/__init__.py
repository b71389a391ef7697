"""One module per command of `orket`: read inputs, call one function, write the artifact."""
