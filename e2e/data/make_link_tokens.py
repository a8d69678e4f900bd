"""Writes link_tokens.json: tokens as Python's itsdangerous makes them, and what is to become of each.

Run with itsdangerous 2.2: python3 make_link_tokens.py > link_tokens.json
"""

import base64
import hashlib
import json
import zlib

from itsdangerous import URLSafeTimedSerializer
from itsdangerous.timed import TimestampSigner

SECRET = "wire-compatible with python, at least 32 bytes"
NOW = 1_700_000_000
UID = "0190f5c8-7c3e-7a52-9d8e-3f0f6d3f9a11"
SALTS = ["email-verification", "password-reset", "email-change"]
SHA256 = {"digest_method": hashlib.sha256}


def signer_at(when):
    class Signer(TimestampSigner):
        def get_timestamp(self):
            return when

    return Signer


def serializer(salt, when=NOW, secret=SECRET, kwargs=SHA256):
    return URLSafeTimedSerializer(secret, salt=salt, signer=signer_at(when), signer_kwargs=kwargs)


def token(payload, salt="password-reset", **how):
    return serializer(salt, **how).dumps(payload)


def sign_raw(payload_text, salt="password-reset", when=NOW):
    return signer_at(when)(SECRET, salt=salt, **SHA256).sign(payload_text).decode()


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(email="ann@example.org", v=3):
    return {"email": email, "uid": UID} | ({} if v is None else {"v": v})


def swap(text, index):
    return text[:index] + ("A" if text[index] != "A" else "B") + text[index + 1 :]


good = []
for salt in SALTS:
    for email in ["ann@example.org", "Ann+tag@example.org", "jürgen@example.org", "李@xn--r8jz45g.xn--zckzah",
                  "o'hara\\\"/<&>@example.org", "😀@example.org"]:
        for v in [None, 0, 3, 9_007_199_254_740_993]:
            for when in [NOW, 255, 256, 65_536, 4_294_967_296]:
                if when != NOW and email != "ann@example.org":
                    continue
                made = token(claims(email, v), salt, when=when)
                good.append({"salt": salt, "when": when, "claims": claims(email, v), "token": made})

compressed = []
for email in ["a" * 64 + "@" + "b" * 60 + "." + "b" * 60 + ".example", "x" * 60 + "@example.org"]:
    made = token(claims(email))
    assert made.startswith(".")
    compressed.append({"salt": "password-reset", "when": NOW, "claims": claims(email), "token": made})
# Compressed though it is no shorter: any writer may.
text = json.dumps(claims(), separators=(",", ":")).encode()
compressed.append({"salt": "password-reset", "when": NOW, "claims": claims(),
                   "token": sign_raw("." + b64(zlib.compress(text)))})

fine = token(claims())
payload, stamp, signature = fine.split(".")
bomb = "." + b64(zlib.compress(b" " * 2_800_000 + text, 9))
assert len(sign_raw(bomb)) <= 4096, len(sign_raw(bomb))
near = "." + b64(zlib.compress(b" " * (64 * 1024 + 1 - len(text)) + text, 9))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
bad = [
    ["another salt", token(claims(), "email-verification")],
    ["the original's salt", token(claims(), "email-configuration")],
    ["another secret", token(claims(), secret=SECRET + "!")],
    ["the default digest, SHA-1", token(claims(), kwargs={})],
    ["SHA-512", token(claims(), kwargs={"digest_method": hashlib.sha512})],
    ["another key derivation", token(claims(), kwargs=SHA256 | {"key_derivation": "hmac"})],
    ["no signature at all", f"{payload}.{stamp}"],
    ["an empty signature", f"{payload}.{stamp}."],
    ["a truncated signature", fine[:-1]],
    ["half a signature", fine[:-21]],
    ["a longer signature", fine + "AAAA"],
    ["padding", fine + "="],
    ["white space at the end", fine + "\n"],
    ["an altered payload", swap(fine, 5)],
    ["an altered timestamp", f"{payload}.{swap(stamp, 2)}.{signature}"],
    ["an altered signature", f"{payload}.{stamp}.{swap(signature, 7)}"],
    ["a dot in front", "." + fine],
    ["a timestamp out of a later token", f"{payload}.{token(claims(), when=NOW + 60).split('.')[1]}.{signature}"],
    ["no payload", f"{stamp}.{signature}"],
    ["more than eight bytes of timestamp", None],
    ["from the future by more than the skew", token(claims(), when=NOW + 11)],
    ["a timestamp beyond what a clock can say", token(claims(), when=2**64 - 1)],
    ["a bomb of 2.8 MB", sign_raw(bomb)],
    ["a payload one byte over 64 KiB", sign_raw(near)],
    ["a zlib stream cut short", sign_raw("." + b64(zlib.compress(text)[:-12]))],
    ["no zlib stream", sign_raw("." + b64(text))],
    ["a payload that is not base64", sign_raw("e*30")],
    ["a payload that is not JSON", sign_raw(b64(b"\xff\xfe{"))],
    ["a payload that is a list", token(["ann@example.org", UID])],
    ["a payload without uid", token({"email": "ann@example.org"})],
    ["a payload without email", token({"uid": UID})],
    ["a uid that is none", token({"email": "ann@example.org", "uid": "ann"})],
    ["a version that is a text", token(claims(v="3"))],
    ["an email that is null", token(claims(email=None))],
    ["more than 4,096 characters", token(claims(email=b64(hashlib.shake_256(b"x").digest(3000))))],
    ["nothing", ""],
    ["dots", "..."],
    ["characters outside ASCII", "ä.ö.ü"],
]
signer = signer_at(NOW)(SECRET, salt="password-reset", **SHA256)
raw = payload + "." + b64(b"\1" * 9)
long_stamp = f"{raw}.{signer.get_signature(raw).decode()}"
bad = [[why, long_stamp if made is None else made] for why, made in bad]
bare = f"{payload}.{signer.get_signature(payload).decode()}"
bad.append(["a good signature over a payload without timestamp", bare])

# The last character of a signature carries two bits that nobody reads.
last = ALPHABET.index(signature[-1])
spellings = [fine[:-1] + ALPHABET[last & ~3 | bits] for bits in range(4)]
for spelling in spellings:
    assert serializer("password-reset").loads(spelling) == claims()

print(json.dumps({
    "secret": SECRET,
    "now": NOW,
    "good": good,
    "compressed": compressed,
    "spellings": {"claims": claims(), "tokens": spellings},
    "expired": [token(claims(), when=NOW - 3601), token(claims(), when=0)],
    "bad": bad,
    "contract": {"secret": "k3y", "salt": "email-configuration", "when": NOW, "payload": '{"email":"a@example.org"}',
                 "token": token({"email": "a@example.org"}, "email-configuration", secret="k3y")},
}, indent=1))
