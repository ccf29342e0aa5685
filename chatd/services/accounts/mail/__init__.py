"""Mails about accounts: verified addresses, lost passwords, and notices with a way to undo.

A mail is a row of the mail queue (`mail_queue`), added in the transaction of what it is about.
`chatd.services.maintenance.mails` renders and sends it. Without SMTP_HOST nothing is added.
"""
