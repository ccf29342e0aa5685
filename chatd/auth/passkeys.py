"""Passkeys (WebAuthn, Level 2): what browsers are asked, and the check of what they answer.

Credentials are scoped to the host of PUBLIC_URL, and only pages of its exact origin may use them.
Attestation is not requested: any authenticator is accepted, so nothing about its maker is parsed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import cbor2
import orjson
import webauthn
from webauthn.helpers import bytes_to_base64url, options_to_json_dict
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from chatd.auth.passkey_answers import Assertion, InvalidPasskey, member, parse

_DEFAULT_PORTS = {"http": 80, "https": 443}
_TIMEOUT_MS = 300_000
_MAX_KEY_BYTES = 1100
"""A COSE key: RSA with 8,192 bits fits. Larger keys would take too long to verify with."""

_RSA, _KEY_TYPE, _EXPONENT = 3, 1, -2  # RFC 8230 section 4
_MAX_EXPONENT_BYTES = 4
"""Authenticators use 65537. A verification with an exponent of 3,000 bits takes 6 ms."""

_ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_MAX_DEPTH = 8  # of CBOR; an attestation object has four levels


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A credential that was just created."""

    id: bytes
    public_key: bytes
    sign_count: int


class PasskeyVerifier:
    """Creates the options for browsers, and verifies their answers."""

    def __init__(self, public_url: str, *, user_verification: str) -> None:
        self._host, self._origin = _host_and_origin(public_url)
        self._user_verification = UserVerificationRequirement(user_verification)

    @property
    def is_available(self) -> bool:
        """Whether PUBLIC_URL names a host; browsers refuse passkeys for addresses."""
        try:
            ip_address(self._host)
        except ValueError:
            return bool(self._host)
        return False

    def creation_options(
        self, challenge: bytes, user_id: int, username: str, known: Iterable[bytes]
    ) -> str:
        """Return the options to create a credential, as JSON for clients."""
        options = webauthn.generate_registration_options(
            rp_id=self._host,
            rp_name=self._host,
            user_id=str(user_id).encode(),
            user_name=username,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED,
                user_verification=self._user_verification,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(each) for each in known],
            supported_pub_key_algs=_ALGORITHMS,
        )
        return orjson.dumps({"publicKey": options_to_json_dict(options)}).decode()

    def request_options(self, challenge: bytes, known: Iterable[bytes]) -> str:
        """Return the options to use one of these credentials, as JSON for clients."""
        options = webauthn.generate_authentication_options(
            rp_id=self._host,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            allow_credentials=[PublicKeyCredentialDescriptor(each) for each in known],
            user_verification=self._user_verification,
        )
        return orjson.dumps({"publicKey": options_to_json_dict(options)}).decode()

    def verify_registration(self, answer: str, challenge: bytes) -> NewCredential:
        """Verify the answer to `creation_options`. Raises InvalidPasskey."""
        raw_id, response = parse(answer)
        attestation = member(response, "attestationObject")
        _require_no_certificates(attestation)
        credential = RegistrationCredential(
            id=bytes_to_base64url(raw_id),
            raw_id=raw_id,
            response=AuthenticatorAttestationResponse(
                client_data_json=member(response, "clientDataJSON"),
                attestation_object=attestation,
            ),
        )
        try:
            verified = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=self._requires_user,
                supported_pub_key_algs=_ALGORITHMS,
            )
        except Exception as wrong:  # the library raises what hostile data causes
            raise InvalidPasskey("not verified") from wrong
        if verified.credential_id != raw_id or len(raw_id) > 1023:
            raise InvalidPasskey("another id")
        if len(verified.credential_public_key) > _MAX_KEY_BYTES:
            raise InvalidPasskey("a large key")
        _require_small_exponent(verified.credential_public_key)
        return NewCredential(raw_id, verified.credential_public_key, verified.sign_count)

    def verify(
        self, assertion: Assertion, challenge: bytes, *, public_key: bytes, sign_count: int
    ) -> int:
        """Verify an assertion; return the new signature counter. Raises InvalidPasskey.

        A counter that does not increase means that the authenticator was cloned. Authenticators
        without a counter always send 0.
        """
        try:
            verified = webauthn.verify_authentication_response(
                credential=AuthenticationCredential(
                    id=bytes_to_base64url(assertion.credential_id),
                    raw_id=assertion.credential_id,
                    response=AuthenticatorAssertionResponse(
                        client_data_json=assertion.client_data,
                        authenticator_data=assertion.authenticator_data,
                        signature=assertion.signature,
                    ),
                ),
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=public_key,
                credential_current_sign_count=sign_count,
                require_user_verification=self._requires_user,
            )
        except Exception as wrong:  # the library raises what hostile data causes
            raise InvalidPasskey("not verified") from wrong
        return verified.new_sign_count

    @property
    def _requires_user(self) -> bool:
        return self._user_verification is UserVerificationRequirement.REQUIRED


def _host_and_origin(url: str) -> tuple[str, str]:
    """Return the host of a URL, and its origin as browsers write it; both empty if it is wrong."""
    try:
        parts = urlsplit(url.lower())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", ""
    is_default = port in (None, _DEFAULT_PORTS.get(parts.scheme))
    return host, f"{parts.scheme}://{host}{'' if is_default else f':{port}'}"


def _require_small_exponent(public_key: bytes) -> None:
    """Require that an RSA key verifies fast. Raises InvalidPasskey."""
    key = cbor2.loads(public_key)
    if key[_KEY_TYPE] == _RSA and len(key[_EXPONENT]) > _MAX_EXPONENT_BYTES:
        raise InvalidPasskey("a large exponent")


def _require_no_certificates(attestation: bytes) -> None:
    """Require an attestation without certificates, as the options ask for.

    Browsers send none, or the authenticator's signature of its own key. The rest of what the
    library can parse is refused before it is. Raises InvalidPasskey.
    """
    try:
        found = cbor2.loads(attestation, max_depth=_MAX_DEPTH, allow_indefinite=False)
        statement = found["attStmt"]
        is_plain = found["fmt"] == "none" and not statement
        is_own = found["fmt"] == "packed" and set(statement) == {"alg", "sig"}
    except Exception as wrong:  # hostile data causes errors of many types
        raise InvalidPasskey("no attestation") from wrong
    if not is_plain and not is_own:
        raise InvalidPasskey("an attestation of its maker")
