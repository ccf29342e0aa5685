"""Services: the operations of the API, one module per noun.

An operation checks permissions, writes, and emits events. Services do not know the connected
sessions. The API errors that they raise are sent to the client.
"""
