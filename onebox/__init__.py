"""The whole product on one machine: embedded servers, process tree, demo world."""
