"""Imports of DiscordChatExporter's JSON files.

files       finds the files of an export, and reads their headers
parsing     a message of an export, checked and in the form of chatd; embeds
structure   the guild, its categories and channels
authors     placeholder accounts, memberships and roles
messages    the messages of one file, batch by batch
run         all of it, in order
"""
