"""What users can do, a module per noun: check, write, say what happened.

A service never knows who is connected. Refusals it raises reach the client as they are.
"""
