"""Protocol Buffers: the wire format, a description of messages, and their JSON form.

Clients store their settings as messages that Discord has defined. The server merges them without
losing fields that it does not know, and converts them from and to JSON. It needs a small part of
Protocol Buffers, for which a dependency with generated code would be large.
Rule: protobuf.dev, "Encoding" and "ProtoJSON Format".
"""
