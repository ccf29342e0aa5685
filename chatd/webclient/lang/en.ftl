log-in = Log in
log-out = Log out
register = Create an account
login-name = E-mail address or username
email = E-mail address
username = Username
password = Password
invitation-code = Registration code
need-account = You have no account yet?
have-account = You have an account already?
ended = Your login has ended. Please log in again.

cancel = Cancel
close = Close
save = Save
create = Create
join = Join
send = Send
retry = Try again
delete = Delete
edit = Edit
reply = Reply
react = Add a reaction

status-connecting = Connecting…
status-waiting = The connection is lost. Trying again in { $seconds } s.
status-offline = You are offline.
status-resumed = Connected again; nothing was missed.
status-reloading = Connected again; loading what was missed.
connect-now = Connect now

guilds = Servers
home = Direct messages
friends = Friends
channels = Channels
members = Members
messages = Messages
online = Online
offline = Offline
new-guild = Create or join a server
guild-name = Name of the server
create-guild = Create a server
join-guild = Join by invite
invite-link = Invite link or code
invite-people = Invite people
invite-created = Whoever opens this link can join:
copy = Copy
copied = Copied
leave-guild = Leave server
new-channel = Create a channel
channel-name = Name of the channel
write-to = Write a message to { $name }
cannot-write = You cannot write here.
replying-to = Reply to { $name }
editing = Edit the message
attach = Attach files
remove-file = Remove { $name }
not-sent = Not sent: { $reason }
sending = Sending…
edited = (edited)
new-messages = New messages
jump-to-present = Jump to the newest messages
beginning = This is the beginning of { $name }.
loading = Loading…
load-failed = This could not be loaded.
deleted-reply = The message was deleted.
typing = { $count ->
    [1] { $names } is typing…
   *[other] { $names } are typing…
}
typing-many = Several people are typing…
member-count = { $count ->
    [1] one member
   *[other] { $count } members
}
unread = { $name }, unread
mentioned = { $name }, { $count ->
    [1] one mention
   *[other] { $count } mentions
}

invited-to = You are invited to { $name }
invite-gone = This invite is not valid any more. Ask for a new one.
no-guilds = You are in no server yet. Create one, or join one with an invite link.
no-privates = No direct messages yet. Write to a friend, or to a member of a server.
no-messages = No messages yet. Write the first one.
choose-channel = Choose a channel.
message-user = Send a message

add-friend = Add a friend by username
friend-requests = Requests
accept = Accept
decline = Decline
remove-friend = Remove friend
request-sent = The request is sent.

settings = Settings
language = Language
theme = Theme
theme-system = Like the system
theme-light = Light
theme-dark = Dark

error-unreachable = The server cannot be reached. Check the connection and try again.
error-rate-limited = Too many requests. Try again in { $seconds } s.
error-server = The server has a problem. Try again in a moment.

system-1 = { $name } added { $other }.
system-2 = { $other } left.
system-4 = { $name } changed the name to { $content }.
system-5 = { $name } changed the picture.
system-6 = { $name } pinned a message.
system-7 = { $name } joined.
system-12 = { $name } follows { $content } here.
