"""Writes session_tokens.json: session tokens as PyJWT makes them, good and bad.

Run with PyJWT 2: python3 make_session_tokens.py > session_tokens.json
"""

import json

import jwt

SECRET = "compatible with PyJWT: 64 bytes, as HS512 wants them, and some more"
CLAIMS = {
    "user": {"email": "ann@example.org", "user_uid": "0190f5c8-7c3e-7a52-9d8e-3f0f6d3f9a11", "role": "admin"},
    "exp": 1_700_003_600,
    "iat": 1_700_000_000,
    "jti": "7a4b3f0e-3f6c-4a0e-9a59-0a2f5a1f7c11",
    "refresh": True,
    "sid": "0190f5c8-7c3e-7a52-9d8e-3f0f6d3f9a12",
}

print(json.dumps({
    "secret": SECRET,
    "claims": CLAIMS,
    "good": {name: jwt.encode(CLAIMS, SECRET, algorithm=name) for name in ["HS256", "HS384", "HS512"]},
    "bad": {
        "no signature": jwt.encode(CLAIMS, None, algorithm="none"),
        "another secret": jwt.encode(CLAIMS, SECRET[::-1], algorithm="HS256"),
        # The original's claims: it has no sessions.
        "no sid, no iat": jwt.encode({k: v for k, v in CLAIMS.items() if k not in ("sid", "iat")}, SECRET),
        "a list": jwt.api_jws.encode(b"[]", SECRET, algorithm="HS256"),
    },
}, indent=1))
