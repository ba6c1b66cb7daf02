"""The works, one a file: what is done, and by which peers with how much of it."""
