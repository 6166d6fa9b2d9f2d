"""Pure rules: is a live object ready, and if not, why?"""
