"""The API as an OpenAPI 3.1 document, generated from what the routes declare.

The schemas that read requests (`wire.schemas`) also describe them. Responses are described by
`wire.responses`; tests check every response that they receive against its description.
"""

from __future__ import annotations

from chatd.rest.openapi.document import document

__all__ = ["document"]
