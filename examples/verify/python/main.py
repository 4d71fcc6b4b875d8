# Reads tokens, one a line, and says of each whether it is good; holds no rule of verification.
import json
import os
import sys

import jwt

from verifier import Verifier


def main() -> None:
    cache = json.loads(os.environ.get("KEY_CACHE", "{}"))
    verifier = Verifier(os.environ["JWKS_URL"], os.environ["ISSUER"], os.environ["AUDIENCE"], **cache)
    for line in sys.stdin:
        try:
            verdict = f"accepted {verifier.verify(line.strip())['sub']}"
        except jwt.PyJWTError as error:
            verdict = f"refused {error!r}"
        print(verdict, flush=True)


if __name__ == "__main__":
    main()
