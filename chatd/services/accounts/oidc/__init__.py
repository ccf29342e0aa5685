"""Single sign-on: logins by accounts at OpenID providers.

`attempts` sends a browser to a provider and verifies the answer, which `person` reads. `login`
finds or creates the account of a person, `groups` gives it the roles of its groups there, and
`links` links it with an existing one. `logout` ends logins when the provider says so.
`first_password` is for accounts that began without a password.
"""
