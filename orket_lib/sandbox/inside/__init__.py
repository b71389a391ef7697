"""Code that runs inside the sandbox; it imports no other module of ours."""
