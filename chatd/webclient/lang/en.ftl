log-in = Log in
log-out = Log out
register = Create an account
login-name = E-mail address
email = E-mail address
username = Username
password = Password
invitation-code = Registration code
need-account = You have no account yet?
have-account = You have an account already?
ended = Your login has ended. Please log in again.

forgot-password = Forgot your password?
forgot-hint = Enter the e-mail address of your account. You get a mail with a link to choose a new password.
forgot-sent = If there is an account with this address, a mail is on its way. Its link works for one hour.
choose-password = Choose a new password
choose-password-hint = All devices on which you are logged in are logged out.
verify-email = Verify e-mail address
email-verified = The e-mail address is verified.
email-unverified = Your e-mail address is not verified. Use the link in the mail that you got.
email-sent = A mail with a link is on its way.
send-again = Send the mail again
undo-change = Undo the change
undo-hint = Your account gets its former e-mail address again. Choose a new password; all devices are logged out.
change-undone = The change is undone. Log in with your new password.
to-client = Continue
error-link = The link is invalid, has expired, or was used already.

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
not-sent-closed = The page was closed before the server answered. Look whether it is there before you try again.
files-lost = The browser did not keep the files: { $names }. Attach them again in a new message.
sending = Sending…
edited = (edited)
new-messages = New messages
jump-to-present = Jump to the newest messages
beginning = This is the beginning of { $name }.
loading = Loading…
place-gone = That channel or server does not exist, or you may not see it.
outdated = This could not be loaded. The client may have a new version.
load-page-again = Load the page again
load-failed = This could not be loaded.
deleted-reply = The message was deleted.
typing = { $count ->
    [1] { $names } is typing…
   *[other] { $names } are typing…
}
typing-many = Several people are typing…
member-count = { $count ->
    [1] 1 member
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
unsaved = Unsaved changes
keep-editing = Keep editing
waiting-limit = Too many requests. Trying again in { $seconds } s…
waiting-server = The server does not answer. Trying again…
error-server = The server has a problem. Try again in a moment.

system-1 = { $name } added { $other }.
system-2 = { $other } left.
system-4 = { $name } changed the name to { $content }.
system-5 = { $name } changed the picture.
system-6 = { $name } pinned a message.
system-7 = { $name } joined.
system-36 = Many accounts have joined in a short time. Invites are paused until { $content }.
system-12 = { $name } follows { $content } here.
system-24 = A rule of the server has found a message of { $name }.
alert-blocked = The rule “{ $rule }” has blocked it.
alert-flagged = The rule “{ $rule }” has noticed it.
alert-found = Found: { $text }

## Permissions
permission-view-channel = View channels
permission-view-channel-about = Members see channels and read new messages.
permission-manage-channels = Manage channels
permission-manage-channels-about = Members create, change, order and delete channels.
permission-manage-roles = Manage roles
permission-manage-roles-about = Members create roles below their own, assign them, and change permissions of channels.
permission-manage-guild = Manage server
permission-manage-guild-about = Members change the name and settings of the server, see all invites, and add bots.
permission-view-audit-log = View audit log
permission-view-audit-log-about = Members see who changed what on the server.
permission-manage-webhooks = Manage webhooks
permission-manage-webhooks-about = Members create, change and delete webhooks, which post messages of other programs.
permission-administrator = Administrator
permission-administrator-about = Members have all permissions, in all channels. Give it only to people whom you trust fully.
permission-create-instant-invite = Create invites
permission-create-instant-invite-about = Members invite other people.
permission-change-nickname = Change own nickname
permission-change-nickname-about = Members choose the name that they have on this server.
permission-manage-nicknames = Manage nicknames
permission-manage-nicknames-about = Members change the nicknames of others.
permission-kick-members = Kick members
permission-kick-members-about = Members remove others, who can join again with an invite.
permission-ban-members = Ban members
permission-ban-members-about = Members remove others for good, and lift bans.
permission-moderate-members = Time out members
permission-moderate-members-about = Members stop others from writing for a time.
permission-send-messages = Send messages
permission-send-messages-about = Members write in channels.
permission-read-message-history = Read message history
permission-read-message-history-about = Members read messages that were sent earlier.
permission-embed-links = Embed links
permission-embed-links-about = Links show a preview.
permission-attach-files = Attach files
permission-attach-files-about = Members send files and pictures.
permission-add-reactions = Add reactions
permission-add-reactions-about = Members add new reactions to messages.
permission-use-external-emojis = Use external emojis
permission-use-external-emojis-about = Members use emojis of other servers.
permission-mention-everyone = Mention everyone
permission-mention-everyone-about = Members notify all members and all roles.
permission-manage-messages = Manage messages
permission-manage-messages-about = Members delete the messages of others.
permission-pin-messages = Pin messages
permission-pin-messages-about = Members pin messages.
permission-bypass-slowmode = Bypass slow mode
permission-bypass-slowmode-about = Slow mode does not slow these members.
permission-send-tts-messages = Send spoken messages
permission-send-tts-messages-about = Members send messages that clients read aloud.
permission-use-application-commands = Use commands
permission-use-application-commands-about = Members use the commands of bots.
permission-use-external-apps = Use own apps
permission-use-external-apps-about = Apps that members bring may answer in public.
permission-send-messages-in-threads = Send messages in threads
permission-create-public-threads = Create public threads
permission-create-private-threads = Create private threads
permission-manage-threads = Manage threads
permission-send-polls = Create polls
permission-send-voice-messages = Send voice messages
permission-use-external-stickers = Use external stickers
permission-create-guild-expressions = Create emojis and stickers
permission-manage-guild-expressions = Manage emojis and stickers
permission-create-events = Create events
permission-manage-events = Manage events
permission-use-embedded-activities = Use activities
permission-connect = Connect to voice
permission-speak = Speak
permission-stream = Share video
permission-use-vad = Use voice activity
permission-priority-speaker = Priority speaker
permission-use-soundboard = Use the soundboard
permission-use-external-sounds = Use external sounds
permission-request-to-speak = Request to speak
permission-mute-members = Mute members in voice
permission-deafen-members = Deafen members in voice
permission-move-members = Move members in voice
permission-set-voice-channel-status = Set voice channel status
permission-view-guild-insights = View server insights
permission-view-creator-monetization-analytics = View earnings
permission-group-guild = Server
permission-group-members = Members
permission-group-text = Text channels
permission-group-apps = Apps
permission-group-unused = Without effect on this server

## Logging in and registering

about-api = For developers: the API of this server
registration-open = Everyone can create an account here.
registration-by-code = You need a registration code. An administrator of this server gives it to you.
registration-by-approval = Everyone can register here. An administrator of this server approves each account.
registration-waits = Your account was created. You can log in when an administrator of this server has approved it.
registration-closed = Registration is closed. An administrator of this server can create an account for you.
username-rules = Others find you by this name. You can change it later.
email-use = For logging in. Others do not see it.
password-rules = At least { $count } characters, and not one of the most common passwords.
log-in-again = Please log in again
ended-kept = Your login has ended. This page stays as it is: what you typed is still there.
not-stored = This browser does not store your login. You will have to log in again when you reload the page.
error-required = This is missing.
error-email-taken = An account with this e-mail address exists already.
error-email-invalid = This is not an e-mail address.
error-invites-paused = This server accepts no new members at the moment. Try again later.
error-email-domain = Addresses of this provider cannot be used on this server.
error-awaits-approval = An administrator of this server has not approved your account yet.
error-login = The address or the password is wrong.
error-registration-code = This code is not valid, or was used up. Ask for a new one.
error-password = The password is wrong.
error-password-common = This password is among the most common ones. Choose another one.
error-username-taken = This username is taken. Choose another one.
error-disabled = This account is disabled. Ask an administrator of this server.

## Settings

skip = Skip to the content
close-page = Close: { $name }
saved = Saved.
open = Open
settings-profile = Profile
settings-account = Account
settings-sessions = Devices
settings-privacy = Privacy
settings-appearance = Appearance
settings-shortcuts = Keyboard
settings-apps = Added apps
settings-bots = Your bots
display-name = Display name
display-name-hint = Shown instead of { $name }. Leave it empty to show that.
bio = About you
bio-hint = Others see this in your profile. At most { $count } characters.
choose-picture = Choose a picture
remove-picture = Remove the picture
picture-hint = PNG, JPEG, GIF or WebP. You choose the part that is shown.
crop-picture = Part of the picture
picture-unreadable = This file is not a picture that this browser can show. Choose another one.
picture-as-it-is = Keep it moving
use-picture = Use this picture
picture-preview = How your picture will look
crop-zoom = Size
crop-across = Left or right
crop-down = Up or down
current-password = Current password
new-password = New password
change-username = Change the username
username-change-hint = Others find you by this name, and mention you with it.
change-email = Change the address
change-password = Change the password
password-changed = The password is changed. Your other devices are logged out.
delete-account = Delete the account
delete-account-text = Your account leaves all servers, and your name becomes free. Your messages stay, without your name. This cannot be undone.
delete-account-guilds = You own servers: { $names }. Transfer them to another member or delete them; then you can delete your account.
delete-account-bots = You have bots: { $names }. Delete them; then you can delete your account.
sessions-text = You are logged in on these devices. Log out those that you do not know, and change your password.
unknown-client = An unknown client
client-on = { $client } on { $system }
this-device = this device
last-used = Last used
since = logged in
log-out-of = Log out: { $name }
log-out-others = Log out all other devices
session-end-text = This device has to log in again.
sessions-end-text = { $count ->
    [1] One other device has to log in again.
   *[other] { $count } other devices have to log in again.
}
sessions-ended = { $count ->
    [1] One device is logged out.
   *[other] { $count } devices are logged out.
}
direct-messages-from = Who may write to you
direct-messages-guilds = Friends and members of your servers
direct-messages-friends = Friends only
direct-messages-nobody = No one
blocked-users = Blocked users
none-blocked = You have blocked no one.
unblock = Unblock
unblock-user = Unblock { $name }
appearance-text = These choices are for this browser. Movements are reduced if your system says so.
density = Space between messages
density-cozy = Normal
density-compact = Little
apps-text = These apps can be used by you everywhere. They do not see your messages.
no-apps = You have added no app to your account.
remove-app = Remove
remove-app-named = Remove { $name }
remove-app-text = You can no longer use { $name }, unless a server has it.
bots-text = A bot is a program with an account of its own. Any library for Discord bots works.
no-bots = You have no bots yet.
create-bot = Create a bot
bot-name = Name of the bot
bot-token = Token
bot-token-once = Copy it now: it is not shown again. With it, a program can act as this bot, so keep it secret.
bot-link = Link to add it to a server
bot-link-hint = It asks for the permissions to read and write messages. You confirm on the next page.
bot-public = Others may add it to their servers
intent-presences = It sees who is online
intent-members = It gets the lists of members
intent-content = It gets the text of all messages
reset-token = New token
reset-token-text = The present token of { $name } stops working at once.
delete-bot = Delete the bot
delete-bot-text = { $name } leaves all servers. This cannot be undone.
copy-named = Copy: { $name }
copy-by-hand = This browser does not permit copying here. Select the text and copy it.
keys = Keys
key-effect = Effect
key-send = Send the message
key-line = New line in the message
key-escape = Cancel: a reply, a dialog, the settings
key-tab = Go to the next button or field
key-settings = Open the settings
key-shortcuts = Show these keys
## Guilds: menus and channels
menu-of = Actions for { $name }
guild-menu = Server menu
guild-settings = Server settings
guild-settings-of = Settings of { $name }
members-and-roles = Members
channel-settings-of = Settings of { $name }
private-channel = Private
private-channel-about = Only the roles that you choose, and administrators, see it.
muted = muted
mute-channel = Mute
unmute-channel = Unmute
mute-guild = Mute server
unmute-guild = Unmute server
mark-read = Mark as read
copy-link = Copy link
edit-channel = Edit channel
edit-category = Edit category
delete-channel = Delete channel
delete-channel-about = Delete { $name } with all its messages? This cannot be undone.
delete-category = Delete category
delete-category-about = Delete the category { $name }? Its channels stay, without a category.
new-category = Create a category
new-channel-here = Create a channel here
category-name = Name of the category
category = Category
no-category = No category
channel-type = Kind of channel
type-text = Text
type-announcement = Announcements, which other servers can follow
roles-that-see = Roles that see it
no-roles = The server has no roles yet.
move-up = Move up
move-down = Move down
move = Move
move-to = Move to a category
move-to-about = Choose the category of { $name }.
change-nickname = Change nickname
nickname = Nickname
own-nickname-about = The name that you have on this server. Leave it empty to use your account’s name.
leave-guild-about = Leave { $name }? You need a new invite to come back.
confirm-type = Type { $name } to confirm
confirm-mismatch = Type the name exactly: { $name }
add = Add
remove = Remove
owner = Owner

## Groups
new-group = Create a group
new-group-about = Choose at least two friends with whom you want to write.
no-friends = You have no friends here yet. Send a friend request first.
no-more-friends = All your friends are in this group.
group-settings = Group settings
group-name = Name of the group
group-gone = You are not in this group any more.
group-full = The group is full: 10 people.
empty-group = Empty group
people = People
add-people = Add friends
leave-group = Leave group
leave-group-about = Leave { $name }? Somebody in it has to add you again.
close-private = Close conversation

error-forbidden = You may not do that (any more).
error-gone = It does not exist any more.
error-banned = You are banned from this server.
error-blocked = A rule of this server does not allow this message.
error-blocked-because = A rule of this server does not allow this message: { $text }

## Guilds: settings
yes = Yes
no = No
choose = Choose
discard = Discard
reload = Load again
load-more = Load more
never = Never
unlimited = Unlimited
channel = Channel
description = Description
topic = Topic
reason = Reason
reason-about = It is written to the audit log.
no-reason = No reason given
duration = Duration
bot = Bot
roles = Roles
permission = Permission
allow = Allow
deny = Deny
inherit = Inherit
unsaved-changes = There are changes that are not saved.
user-id = User id
hidden-channel = a channel that you cannot see
guild-sections = Sections
guild-section-overview = Overview
guild-section-permissions = Permissions
guild-section-roles = Roles
guild-section-members = Members
guild-section-invites = Invites
guild-section-bans = Bans
guild-section-webhooks = Webhooks
guild-section-integrations = Bots
guild-section-audit = Audit log
guild-picture-preview = The new picture
picture-unsaved = Save to use it.
picture-too-large = The picture is too large.
system-channel = Channel for notices
guild-system-channel-about = Where the server says who has joined.
no-channel = None
announce-joins = Say who joins
rules-channel = Channel with the rules
default-notifications = Default notifications
notify-all = All messages
notify-mentions = Only mentions
guild-language = Language
delete-guild = Delete server
delete-guild-about = Deleting the server deletes its channels, messages and roles, for all members.
delete-guild-question = Delete { $name } with everything in it? This cannot be undone.
channel-slow-mode = Slow mode
slow-mode-off = Off
slow-mode-about = How long a member waits between two messages. Members who manage channels or messages, or may bypass it, do not.
nsfw = Only for adults
nsfw-about = Clients warn before they show the channel.
roles-about = Members can have several roles. A role higher in the list is above those below it. Drag a role, or press Alt and an arrow key, to move it.
new-role = Create a role
new-role-name = New role
role-name = Name of the role
role-color = Colour
role-color-value = Colour of the role
hoist = Show its members separately
hoist-about = The list of members has a group for the role.
mentionable = Everybody may mention it
role-above = You cannot change this role: it is not below your highest role.
role-managed = This role belongs to a bot. It is assigned and removed with it.
everyone-about = All members have this role. It has what everybody may do.
permission-not-own = You cannot change it: you do not have this permission yourself.
given-by-administrator = Included in Administrator.
delete-role = Delete role
delete-role-about = Delete the role { $name }? Its members lose it.
give-role = Give the role
role-given = { $name } has { $role } now.
roles-of = Roles of { $name }
no-own-roles = No roles
search-members = Find members by name
search-narrower = There are more. Type more of the name.
nobody-found = Nobody found.
manage = Manage
manage-name = Manage { $name }
manage-member = Manage the member
member-since = Member since
account-since = Account since
not-a-member = Not a member of this server any more.
mention = Mention
request-friend = Add friend
accept-friend = Accept friend request
is-friend = Friend
withdraw = Withdraw request
block = Block
block-about = Block { $name }? You end the friendship, and get no messages from them.
remove-friend-about = End the friendship with { $name }?
blocked = Blocked
sent-requests = Sent requests
friends-count = Friends — { $online } of { $count } online
nickname-about = The name of { $name } on this server. Leave it empty to use the account’s name.
time-out = Time out
time-out-about = { $name } cannot write, react or join for this time.
end-timeout = End the timeout
end-timeout-about = Let { $name } write again?
timed-out-until = Timed out until { $time }
kick = Kick
kick-about = Remove { $name } from the server? They can join again with an invite.
ban = Ban
ban-about = Ban { $name }? They are removed, and cannot join again until the ban is lifted.
delete-messages = Delete messages
delete-none = None
of-last = Those of the last { $duration }
unban = Lift the ban
unban-about = Let { $name } join again with an invite?
ban-by-id = Ban a user who is not a member
search-bans = Find bans by name, id or reason
new-invite = Create an invite
new-invite-link = The new link
create-invite = Create the link
other-invite = Other expiry and uses
invite-valid-for-a-day = It is valid for one day.
invite-age = Expires after
invite-max-uses = Uses
invite-temporary = Temporary membership
invite-temporary-about = Members without a role are removed when they go offline.
invite-uses = { $max ->
    [0] uses: { $uses }
   *[other] uses: { $uses } of { $max }
}
no-invites = There are no invites.
invited-by = by { $name }
expires = Expires
never-expires = Never expires
invite-expires = Expires { $time }
revoke = Revoke
revoke-about = Revoke the invite { $code }? Nobody can join with it any more.
online-count = { $count } online
already-member = You are a member already.
too-many-guilds = You are in as many servers as is possible. Leave one first.
webhooks-about = A webhook is an address at which other programs post messages. Keep it secret.
new-webhook = Create a webhook
webhook-name = Name of the webhook
no-webhooks = There are no webhooks.
copy-webhook = Copy the address
delete-webhook = Delete webhook
delete-webhook-about = Delete { $name }? Programs that use its address cannot post any more. Its messages stay.
webhook-follows = It forwards the announcements of another channel.
created-by = Created by { $name }
add-bot = Add a bot
add-bot-field = Application id, or a link to add it
add-bot-about = The bot has to be an application of this server.
add-bot-invalid = There is no application id in it.
add-bot-open = Open the page on which you add it
guild-no-bots = There are no bots on the server.
remove-bot = Remove bot
remove-bot-about = Remove { $name } with its role from the server?
access-about = What a cell does not decide comes from the roles. Overwrites of members come last and win; among roles, a grant wins.
view-as = Show what may be done by
view-as-member = Choose a member instead
result-for = Result for { $name }
add-overwrite = Add a role or member
add-role = Role
add-member = Find a member by name
remove-overwrite = Remove the overwrites of { $name }
is-synchronized = The permissions are those of the category { $name }, and change with it.
is-not-synchronized = The permissions differ from those of the category { $name }.
synchronize = Use those of the category
why-nothing = No role grants it.
why-owner = The owner may do everything.
why-administrator = { $role } is an administrator.
why-role = Granted by the role { $role }.
why-overwrite-everyone-allow = Allowed here for everyone.
why-overwrite-everyone-deny = Denied here for everyone.
why-overwrite-role-allow = Allowed here for { $role }.
why-overwrite-role-deny = Denied here for { $role }.
why-overwrite-member-allow = Allowed here for this member.
why-overwrite-member-deny = Denied here for this member.
why-overwrite-none-deny = Cannot be granted in a channel.
why-hidden = Cannot see the channel.
why-silent = Cannot send messages here.
why-timeout = Timed out.
audit-filter-action = Action
audit-filter-user = Only those of one member
audit-all = All actions
audit-by = By { $name }
audit-by-all = Show those of all
audit-empty = There is nothing here.
audit-nobody = Somebody
audit-nothing = nothing
audit-reason = Reason: { $reason }
audit-details = Details
audit-change = { $name }: { $before } → { $after }
audit-bits-added = { $name }, added: { $names }
audit-bits-removed = { $name }, removed: { $names }
audit-roles-added = Added roles: { $names }
audit-roles-removed = Removed roles: { $names }
audit-other = { $user } did something else ({ $action }).
audit-1 = { $user } changed the server.
audit-10 = { $user } created { $target }.
audit-11 = { $user } changed { $target }.
audit-12 = { $user } deleted { $target }.
audit-13 = { $user } added permissions in { $target }.
audit-14 = { $user } changed permissions in { $target }.
audit-15 = { $user } removed permissions in { $target }.
audit-20 = { $user } kicked { $target }.
audit-21 = { $user } removed { $count } inactive members.
audit-22 = { $user } banned { $target }.
audit-23 = { $user } lifted the ban of { $target }.
audit-24 = { $user } changed { $target }.
audit-25 = { $user } changed the roles of { $target }.
audit-28 = { $user } added the bot { $target }.
audit-30 = { $user } created the role { $target }.
audit-31 = { $user } changed the role { $target }.
audit-32 = { $user } deleted the role { $target }.
audit-40 = { $user } created the invite { $target }.
audit-42 = { $user } revoked the invite { $target }.
audit-50 = { $user } created the webhook { $target }.
audit-51 = { $user } changed the webhook { $target }.
audit-52 = { $user } deleted the webhook { $target }.
audit-72 = { $user } deleted messages of { $target } ({ $count }).
audit-73 = { $user } deleted many messages in { $target } ({ $count }).
audit-74 = { $user } pinned a message of { $target }.
audit-75 = { $user } unpinned a message of { $target }.
audit-80 = { $user } added { $target }.
audit-81 = { $user } changed { $target }.
audit-82 = { $user } removed { $target }.
audit-121 = { $user } changed who may use commands.
audit-140 = { $user } created the rule { $target }.
audit-141 = { $user } changed the rule { $target }.
audit-142 = { $user } deleted the rule { $target }.
audit-143 = A rule blocked a message of { $target }.
audit-144 = A rule reported a message of { $target }.
audit-145 = A rule timed { $target } out.
audit-name-1 = Server changed
audit-name-10 = Channel created
audit-name-11 = Channel changed
audit-name-12 = Channel deleted
audit-name-13 = Channel permissions added
audit-name-14 = Channel permissions changed
audit-name-15 = Channel permissions removed
audit-name-20 = Member kicked
audit-name-21 = Inactive members removed
audit-name-22 = Member banned
audit-name-23 = Ban lifted
audit-name-24 = Member changed
audit-name-25 = Roles of a member changed
audit-name-28 = Bot added
audit-name-30 = Role created
audit-name-31 = Role changed
audit-name-32 = Role deleted
audit-name-40 = Invite created
audit-name-42 = Invite revoked
audit-name-50 = Webhook created
audit-name-51 = Webhook changed
audit-name-52 = Webhook deleted
audit-name-72 = Message deleted
audit-name-73 = Many messages deleted
audit-name-74 = Message pinned
audit-name-75 = Message unpinned
audit-name-80 = Application added
audit-name-81 = Application changed
audit-name-82 = Application removed
audit-name-121 = Command permissions changed
audit-name-140 = Rule for messages created
audit-name-141 = Rule for messages changed
audit-name-142 = Rule for messages deleted
audit-name-143 = Message blocked by a rule
audit-name-144 = Message reported by a rule
audit-name-145 = Member timed out by a rule
audit-key-name = Name
audit-key-description = Description
audit-key-icon-hash = Picture
audit-key-avatar-hash = Picture
audit-key-owner-id = Owner
audit-key-system-channel-id = Channel for notices
audit-key-rules-channel-id = Channel with the rules
audit-key-preferred-locale = Language
audit-key-mfa-level = second factor of moderators
audit-key-default-message-notifications = Default notifications
audit-key-topic = Topic
audit-key-nsfw = Only for adults
audit-key-rate-limit-per-user = Slow mode, in seconds
audit-key-position = Position
audit-key-parent-id = Category
audit-key-type = Kind
audit-key-color = Colour
audit-key-hoist = Shown separately
audit-key-mentionable = Mentionable
audit-key-permissions = Permissions
audit-key-allow = Allowed
audit-key-deny = Denied
audit-key-nick = Nickname
audit-key-communication-disabled-until = Timed out until
audit-key-code = Code
audit-key-channel-id = Channel
audit-key-max-uses = Uses
audit-key-max-age = Valid for seconds
audit-key-temporary = Temporary membership
seconds = { $count } seconds
minutes = { $count ->
    [1] one minute
   *[other] { $count } minutes
}
hours = { $count ->
    [1] one hour
   *[other] { $count } hours
}
days = { $count ->
    [1] one day
   *[other] { $count } days
}
ban-count = { $count ->
    [0] Nobody is banned.
    [1] One ban
   *[other] { $count } bans
}
## Messages: reading

message-by = { $name }, { $time }: { $text }
message-arrived = { $name } wrote: { $text }
message-missing = This message was deleted, or you may not see it.
message-without-text = (a message without text)
message-menu = More actions
replied-to = Reply to { $name }: { $text }. Show that message.
app-tag = App
pin = Pin
unpin = Unpin
pinned = Pinned
copy-text = Copy the text
mark-unread = Mark as unread
jump-to-unread = Jump to the first unread message
jump-to-date = Jump to a date
jump = Jump there
date = Date
react-with = React with { $emoji }
reactions = Reactions
reaction-label = { $emoji }, { $count ->
    [1] one reaction
   *[other] { $count } reactions
}
delete-message = Delete message
delete-message-question = Delete this message? This cannot be undone.
edit-keys = Enter saves, Escape cancels
edit-empty = A message cannot be empty. You can delete it instead.
spoiler = Spoiler, select to show
code = Code
download = Download
previous = Previous
next = Next
picture-of = { $at } of { $count }
picture-at = { $name } on { $host }
embed-picture = Picture
embed-video = Video
file = File
choose-between = { $least } to { $most }
interaction-failed = The application did not respond. Try again.
modal-of = A form of the app { $name }
submit = Submit
modal-count = { $count } of { $most } characters
modal-length = Write { $least } to { $most } characters.
modal-choose = Choose { $least } to { $most }.
modal-search = Search: { $name }
modal-expired = This form has expired. Copy what you still need, and open the form again.

## Messages: writing

files = Files
cannot-attach = You cannot attach files here.
file-too-large = { $name } has { $size }; files can have up to { $limit }.
file-unreadable = { $name } cannot be read. Folders cannot be sent, nor files that have changed.
too-many-files = { $name } is one too many: a message can have { $limit } files.
describe-file = Description of { $name }
cancel-reply = Do not reply
characters-left = { $count ->
    [1] one character left
   *[other] { $count } characters left
}
too-long = { $count ->
    [1] One character too long. Shorten the message to send it.
   *[other] { $count } characters too long. Shorten the message to send it.
}
slow-mode-every = Slow mode: one message every { $seconds } s.
slow-mode-left = Slow mode: you can send again in { $seconds } s.
completions = Completions
mention-everyone = All members of this channel
mention-here = Members of this channel who are online
role = Role
emoji = Emoji
emoji-search = Search emoji
emoji-groups = Groups of emoji
emoji-none = No emoji has this name.
emoji-recent = Recently used
emoji-smileys-emotion = Smileys
emoji-people-body = People
emoji-animals-nature = Animals and nature
emoji-food-drink = Food and drink
emoji-travel-places = Travel and places
emoji-activities = Activities
emoji-objects = Objects
emoji-symbols = Symbols
emoji-flags = Flags

## Messages: search and pins

search = Search
search-text = Words, or "a phrase"
search-filters = Filters
search-from = From
search-mentions = Mentions
search-in = In
search-everywhere = All channels
search-has = Has
search-has-link = a link
search-has-embed = an embed
search-has-file = a file
search-has-image = a picture
search-has-video = a video
search-has-sound = a sound
search-after = After
search-before = Before
search-order = Order
search-newest = Newest first
search-oldest = Oldest first
search-empty = Enter what to search for, or choose a filter.
search-count = { $count ->
    [0] No messages found.
    [1] One message found.
   *[other] { $count } messages found.
}
search-partial = The search took too long: there may be more.
searching = Searching…
show-more = Show more
pins = Pinned messages
no-pins = No message is pinned here. Pin one from its menu.

## Messages: notifications

settings-notifications = Notifications
notifications-about = This browser can notify you of mentions and direct messages while you look elsewhere, and of all messages where you have chosen that. What you have muted stays silent.
notifications-on = Show notifications in this browser
notifications-denied = The browser forbids notifications of this page. Allow them in its settings of this page, and load the page again.
notifications-unsupported = This browser has no notifications.

## Messages: keys

key-edit-last = In an empty field: edit your last message
key-choose-message = In the list of messages: choose one
key-of-message = At a message: { $action }
## Reports

report = Report
report-about = You report { $name } to the administrators of this server. They get a copy of it, and your name.
report-category = Reason
report-comment = What should they know? (optional)
report-send = Send the report
report-sent = Thank you. The administrators of this server will look at it.
category-spam = Advertising or spam
category-harassment = Harassment or bullying
category-hate = Hatred
category-violence = Violence or threats
category-self-harm = Self-harm or suicide
category-sexual = Sexual content
category-child-safety = Danger to children
category-illegal = Something illegal
category-impersonation = Pretending to be someone else
category-malware = Fraud or malware
category-other = Something else

## Administration of the server

admin-reports = Reports
admin-reports-text = What people have reported, and is not decided yet.
report-by = Reported by { $name }
reports-similar = { $count ->
    [1] one more report
   *[other] { $count } more reports
}
report-decide = Decide
report-outcome = Decision
report-note = Note for other administrators (optional)
report-similar = Decide the other { $count } reports of it, too
outcome-no-action = Do nothing
outcome-message-deleted = Delete the message
outcome-user-warned = Note that you have warned the user
outcome-user-disabled = Disable the account
outcome-guild-deleted = Delete the server with all its messages
outcome-other = Something else, as the note says
admin-registrations = Approvals
admin-registrations-text = Accounts that wait for an administrator, if registration needs an approval.
approve = Approve
refuse = Refuse
refuse-text = The account { $name } is deleted. Its name and address can be used again.

admin = Administration of the server
admin-overview = Overview
admin-accounts = Accounts
admin-codes = Registration codes
admin-refused = Only administrators of this server may see this page. Its operator makes you one with “chatd user promote”.
admin-now = Now
admin-holds = On this server
figure-sessions = Sessions
figure-requests = Requests a second
figure-errors = Errors of the server a second
figure-messages = Messages a second
figure-deliveries = Deliveries a second
figure-database = Database connections in use
plot-text = { $title }: now { $latest }, at most { $highest } in the last minutes
instance-named = Instance { $id }
instances = Instances
instance-number = Number
instance-host = Host
instance-version = Version
refresh = Load again
megabytes = { $count } MB
count-people = People
count-bots = Bots
count-active-day = Active today
count-active-month = Active in 30 days
count-disabled = Disabled accounts
count-guilds = Servers
count-channels = Channels
count-messages = Messages
count-attachments = Files
count-attachment-bytes = Size of files
count-database-bytes = Size of the database
search-names = Part of a name or address
nothing-found = Nothing found.
kind = Kind
kind-all = All
kind-administrators = Administrators
kind-disabled = Disabled
kind-bots = Bots
administrator = administrator
tag-bot = bot
disabled = disabled
account-facts = { $guilds ->
    [1] in one server,
   *[other] in { $guilds } servers,
} { $logins ->
    [1] one login
   *[other] { $logins } logins
}
enable = Enable
enable-text = { $name } can log in again.
disable = Disable
disable-text = { $name } is logged out everywhere and cannot log in. Messages and servers stay.
set-password = Set a password
set-password-text = { $name } is logged out everywhere. Tell the new password to its owner.
log-out-text = { $name } is logged out everywhere, and can log in again.
delete-text = The account { $name } is deleted. Its messages stay, without the name. This cannot be undone.
delete-guilds-too = { $count ->
    [1] Delete its server, too
   *[other] Delete its { $count } servers, too
}
delete-applications-too = Delete its bots, too
admin-guilds-text = You see who owns a server and how large it is, but nothing of its content.
guild-facts = { $owner } · { $members ->
    [1] 1 member
   *[other] { $members } members
} · { $channels ->
    [1] one channel
   *[other] { $channels } channels
}
codes-text = With a code, people can register where registration needs one. Send them the link.
create-code = Create a code
code-uses = How many people can use it
code-days = Days until it ends
code-zero = 0 is without a limit.
code-link = Link to register
code-used = { $most ->
    [0] uses: { $uses }
   *[other] uses: { $uses } of { $most }
}
code-ends = ends
code-never = never
no-codes = There are no codes.
revoke-named = Revoke { $name }
revoke-code-text = No one can register with { $code } any more.

## Views that fail

view-failed = This cannot be shown because of a fault.
## The first steps
welcome = Welcome
hide-as-spoiler = Hide it as a spoiler
back-to-channels = Back to the list
no-roles-private = The server has no roles yet. Add members to the channel in its settings, under Permissions.
error-no-such-user = There is no user with this name. Check how it is written.
error-no-requests = You cannot send this user a friend request.
error-friends-already = You are friends already.

## Second factors

settings-security = Security
security-text = With a second factor, your password alone is not enough to log in. Each login also needs a code of an app, a passkey or a recovery code.
factor-on = Your account has a second factor.
factor-off = Your account has no second factor yet.
factor-needed = Your password is right. This account also needs its second factor.
factor-code = Code
factor-code-hint = The code that your app shows, or a recovery code.
factor-expired = This took too long, or had too many tries. Enter your password again.
error-factor = This needs the second factor of your account. You enable one in the settings, under Security.
error-code = This code is wrong, or was used before.
back = Back
confirm = Confirm
confirm-it-is-you = Confirm that it is you
confirm-factor-text = This needs your second factor.
confirm-password-text = This needs your password.
app = App for codes
app-text = An app on your phone, like Aegis or Google Authenticator, shows a new code every 30 seconds.
app-set-up = Set up an app
app-scan = Scan this picture with the app, or type the key into it. Then enter the code that it shows.
app-open = Open in an app on this device
app-secret = Key
app-code = Code of the app
app-turn-on = Turn on
app-on = Your app shows the codes for this account.
app-turn-off = Remove the app
app-turn-off-text = Its codes are not accepted any more.
qr-code = QR code for the app
passkeys = Passkeys
passkeys-text = A passkey is in your phone, your computer or a security key. You use it with your fingerprint, your face or a PIN.
no-passkeys = You have no passkeys.
passkey-add = Add a passkey
passkey-name = Name of the passkey
passkey-unused = Not used yet
passkey-rename = Rename
passkey-rename-named = Rename { $name }
passkey-delete = Delete the passkey
passkey-delete-named = Delete { $name }
passkey-delete-text = { $name } is not accepted any more.
passkey-unavailable = This browser cannot use passkeys here. They need a secure connection (https) and the address of this server.
passkey-cancelled = The passkey was not used. Try again.
passkey-failed = This passkey does not work at this address.
use-passkey = Use a passkey
recovery-codes = Recovery codes
recovery-text = Each recovery code replaces your second factor once, if you have lost your phone.
recovery-once = Keep these codes in a safe place. They are shown only now. Each works once, in place of your second factor.
recovery-kept = I have kept them
recovery-replace = Create new codes
recovery-replace-text = All earlier codes are not accepted any more.
mfa-level = Moderation
mfa-level-is-on = Moderators need a second factor for their account.
mfa-level-is-off = Moderators need no second factor for their account.
mfa-level-on = Require a second factor
mfa-level-off = Do not require a second factor
mfa-level-on-text = Members without a second factor can no longer moderate, and neither can bots of people without one.
mfa-level-off-text = A stolen password of a moderator is then enough to moderate.
mfa-level-own = To require one, enable a second factor for your own account first, in the settings under Security.

## Logins at providers

providers = Logins at providers
providers-text = You can log in with an account at these providers, without the password and the second factor of this account.
provider-link = Link { $name }
provider-unlink = Unlink
provider-unlink-named = Unlink { $name }
provider-unlink-text = You can no longer log in with { $name }, and your other logins with it end.
no-password = Your account has no password yet. With one you can also log in without a provider.
error-last-way = This is your only way to log in. Choose a password first.
error-login-expired = This login took too long. Log in again.
error-login-old = For this, log out, and log in with your provider again. Then you have ten minutes.
