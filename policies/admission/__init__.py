"""The rules that one object decides, for the API server itself, so that no way of deploying goes round them."""
