# The one refusal that no schema can tell, a password that is too common, beside Schemathesis' own checks; holds no schema.
import schemathesis


@schemathesis.check
def accepts_all_but_weak_passwords(_context, response, case):
    """What the document allows is not refused as malformed."""
    is_allowed = case.meta is not None and case.meta.generation.mode.is_positive
    if is_allowed and response.status_code in (400, 413, 415) and response.json()["code"] != "weak_password":
        raise AssertionError(f"The document allows what the server refuses: {response.text}")
