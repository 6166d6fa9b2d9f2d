"""What the program's commands run, by `python3 -m components.scripts.NAME`: standard library only, any Python
3.11 will do.
"""
