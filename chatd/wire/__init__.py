"""The JSON of the API, without input or output: that of Discord's API v10.

`schemas`, built of `fields`, read requests and gateway frames. `payloads` builds responses and
dispatches, and `responses` describes them for the API documentation.
"""
