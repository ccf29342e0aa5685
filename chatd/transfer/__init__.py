"""Moving in: imports from other servers, and the form in which guilds move between servers.

    discord       imports of DiscordChatExporter's files
    guild         the form in which guilds move between servers of chatd
    source        messages of another server, in the form in which they are loaded
    loading       loads messages into a channel
    authors       placeholder accounts, memberships and roles
    json_array    reads a long JSON file in bounded memory
    findings      the lines that an import reports
    ids, names    ids and names of another server, in a form that this server accepts
    attachments   stores files as if they had been uploaded
    indexing      adds imported messages to the search index

An import is a sequence of transactions. Each leaves a consistent server, and the tables `imports`
and `imported_*` record what was imported. So a run that was broken off is repeated, and then
continues.
"""
