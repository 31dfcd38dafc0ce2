"""The stage graph, the local runner and the commands behind build.sh."""
