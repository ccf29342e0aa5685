"""What clients may send: one schema a request, each loading into a value of its own.

Unknown keys are ignored, as by Discord.
"""
