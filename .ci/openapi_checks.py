# The refusals that no schema can tell: a password that is too common, a link or a passkey that is not good, what must come together, or must not, and whatever OAuth refuses a client that proves nothing, beside Schemathesis' own checks; holds no schema.
import schemathesis

CODES = ("weak_password", "invalid_reset_token", "invalid_email_token", "invalid_passkey")
# An address or a token, one of several proofs, the ticket of an offer that is over, the password that a token takes, and a name that breaks the line.
FIELDS = ("token", "body", "ticket", "password", "name")


@schemathesis.check
def accepts_all_that_a_schema_can_tell(_context, response, case):
    """What the document allows is not refused as malformed."""
    is_allowed = case.meta is not None and case.meta.generation.mode.is_positive
    if not is_allowed or response.status_code not in (400, 413, 415):
        return
    answer = response.json()
    if "error" in answer or answer["code"] in CODES:
        return
    fields = [error["field"] for error in answer.get("errors", [])]
    if not fields or any(field not in FIELDS for field in fields):
        raise AssertionError(f"The document allows what the server refuses: {response.text}")
