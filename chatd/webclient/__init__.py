"""The web client: static files. `chatd.rest.web_client` serves them."""
