"""Second factors: one-time codes, passkeys and recovery codes.

`login` asks for a factor after the password, `confirmation` before a sensitive action; both give
the client a ticket (`tickets`), and verify the factor (`verification`). `factors`, `passkeys` and
`recovery_codes` are the settings of an account.
"""
