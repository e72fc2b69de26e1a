"""A scenario of `nsroom test` as the load: `bench --script`."""
