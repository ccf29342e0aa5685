"""The request fields that Discord documents: `fields.json`, and `extract`, which generates it."""
