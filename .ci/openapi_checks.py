# The refusals that no schema can tell: a password that is too common, a link that is not good, and whatever OAuth refuses a client that proves nothing, beside Schemathesis' own checks; holds no schema.
import schemathesis


@schemathesis.check
def accepts_all_that_a_schema_can_tell(_context, response, case):
    """What the document allows is not refused as malformed."""
    is_allowed = case.meta is not None and case.meta.generation.mode.is_positive
    if not is_allowed or response.status_code not in (400, 413, 415):
        return
    answer = response.json()
    if "error" not in answer and answer["code"] not in ("weak_password", "invalid_reset_token"):
        raise AssertionError(f"The document allows what the server refuses: {response.text}")
