"""A program with the parts of endcord that talk to the server, for another interpreter.

endcord is a client for terminals. This program has no terminal: it runs endcord's REST and gateway
classes, and answers the commands on its standard input with one line of JSON each. It reaches the
server without TLS, which endcord always uses.
"""

# mypy: ignore-errors

import http.client
import json
import logging
import os
import sys
import time

sys.path.insert(0, os.environ["ENDCORD"])


class PlainConnection(http.client.HTTPConnection):
    """A connection to the server of the test, whose port is in `host`."""

    def __init__(self, host, port=None, timeout=None, context=None):
        super().__init__(host, timeout=timeout)


http.client.HTTPSConnection = PlainConnection

from endcord import client_properties, discord, gateway  # noqa: E402

TIMEOUT_S = 30


class Records(logging.Handler):
    """Collects what the client logs."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.complaints = []

    def emit(self, record):
        self.complaints.append(self.format(record))


def until(found):
    """Wait until the function returns a value, and return that."""
    ends = time.monotonic() + TIMEOUT_S
    while time.monotonic() < ends:
        if (value := found()) is not None:
            return value
        time.sleep(0.02)
    raise TimeoutError


class Program:
    """Answers commands."""

    def __init__(self):
        self.records = Records()
        logging.getLogger("endcord").addHandler(self.records)
        host, token = os.environ["HOST"], os.environ["TOKEN"]
        properties = client_properties.get_anonymous_properties()
        agent = properties["browser_user_agent"]
        encoded = client_properties.encode_properties(properties)
        self.rest = discord.Discord(token, host, encoded, agent)
        self.gateway = gateway.Gateway(
            token, host, client_properties.add_for_gateway(properties), agent
        )
        self.gateway.connect()

    def ready(self):
        until(lambda: True if self.gateway.get_ready() else None)
        guilds = {
            each["guild_id"]: [channel["id"] for channel in each["channels"]]
            for each in until(self.gateway.get_guilds)
        }
        return {"user": self.rest.my_id, "guilds": guilds, "private": self.gateway.dms_id}

    def subscribe(self, channel_id, guild_id, count):
        """Open a channel; return the ids of so many members that its list shows as online."""
        self.gateway.set_want_member_list(True)
        self.gateway.subscribe(channel_id, guild_id)
        self.gateway.set_subscribed_channels([channel_id])
        return until(lambda: self._online(int(count)))

    def _online(self, count):
        for _, lists, *_ in self.gateway.get_activities()[0]:
            members = lists["everyone"][1]
            found = sorted(each["id"] for each in members if each.get("status") == "online")
            if len(found) == count:
                return found
        return None

    def history(self, channel_id):
        return [each["content"] for each in self.rest.get_messages(channel_id, 3)]

    def say(self, channel_id, content):
        return self.rest.send_message(channel_id, content)

    def next_message(self):
        while (event := until(self.gateway.get_messages))["op"] != "MESSAGE_CREATE":
            pass
        return [event["d"]["user_id"], event["d"]["content"]]

    def type_in(self, channel_id):
        return self.rest.send_typing(channel_id)

    def next_typing(self):
        return until(self.gateway.get_typing)["user_id"]

    def react_and_read(self, channel_id, message_id):
        read = {"channel_id": channel_id, "message_id": message_id}
        return [
            self.rest.send_reaction(channel_id, message_id, "👍"),
            self.rest.remove_reaction(channel_id, message_id, "👍"),
            self.rest.ack(channel_id, message_id),
            self.rest.ack_bulk([read]),
        ]

    def beats(self):
        """Wait until a heartbeat that was sent from now on is acknowledged."""
        sent_at = self.gateway.heartbeat_sent_time
        until(lambda: True if self.gateway.heartbeat_sent_time > sent_at else None)
        until(lambda: True if self.gateway.heartbeat_received else None)

    def cut(self):
        """Lose the connection, and wait until endcord has resumed its session."""
        self.gateway.ws.sock.shutdown(2)
        until(lambda: True if self.gateway.get_state() != 1 else None)
        until(lambda: True if self.gateway.get_state() == 1 else None)

    def sessions(self):
        return self.gateway.session_id

    def complaints(self):
        return [*self.records.complaints, *filter(None, [self.gateway.error])]


program = Program()
for line in sys.stdin:
    command, *arguments = json.loads(line)
    print(json.dumps(getattr(program, command)(*arguments)), flush=True)
