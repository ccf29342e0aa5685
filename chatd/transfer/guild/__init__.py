"""The form in which a guild moves between servers of chatd: its export, and the import of it.

    export   writes an archive
    archive  reads an archive
    lines    checks lines, and returns them in the form in which they are loaded
    run      the import, in order

An archive is an uncompressed tar file, as `chatd.backup.tar` writes it, with these members:

    lines/00000001.jsonl  JSON objects, one a line, at most 8 MiB
    files/<id>            the stored files of the attachments in the lines before

Each line has a `type`. Ids are texts with decimal digits, times are in ISO 8601. A reader ignores
fields that it does not know, and refuses another `version`. The lines come in this order:

    header   format ("chatd-guild"), version (1), origin (the URL of the server), exported_at
    guild    id, name, description, everyone (the permissions of @everyone)
    role     id, name, permissions, color, hoist, mentionable, position
    member   id, username, global_name, bot, nick, joined_at, roles (their ids)
    user     id, username, global_name, bot: any other account, before the first line that names it
    channel  id, channel_type (0 text, 4 category, 5 announcements), name, topic, parent_id, nsfw,
             rate_limit_per_user, overwrites (a list of id, type, allow, deny)
    message  channel_id, id, author_id, message_type, content, flags, edited_at, is_pinned,
             reference_id, embeds, mentions, mention_roles (ids), mention_everyone,
             attachments (a list of id, filename), reactions (a list of emoji, users)
    end      messages, files: their numbers

Permissions are numbers in decimal digits, as in the API. Not part of it are addresses and
passwords, direct messages, invites, bans, the audit log, webhooks, and components of messages.
"""
