"""Plays a client of the original Bookly against a running service, and notes the tokens that passed between them.

The original's clients are Python: httpx for the calls, itsdangerous and PyJWT where they look into a token. This one
signs up, verifies, logs in, refreshes, keeps books, resets its password by the form, and logs out; it reads every token
of the service with Python's libraries, and the service must take tokens that those libraries made. The result is
original_client.json, which the tests read without Python (shared/tests/link_tokens.rs, api/src/jwt/tests.rs).

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install httpx itsdangerous pyjwt
    cargo build && mkdir -p /tmp/original
    export JWT_SECRET="a secret that only this client and its service share"
    (service=$PWD/target/debug/bookly-api; cd /tmp/original && LISTEN=127.0.0.1:8123 RATE_LIMIT=off $service) &
    /tmp/venv/bin/python e2e/data/original_client.py http://127.0.0.1:8123 > e2e/data/original_client.json

Mails are read at /inbox: in embedded mode, with nothing else set.
"""

import hashlib
import json
import os
import re
import sys
import time
import uuid
from importlib.metadata import version

import httpx
import jwt
from itsdangerous import URLSafeTimedSerializer

SECRET = os.environ["JWT_SECRET"]
ROOT = sys.argv[1].rstrip("/")
api = httpx.Client(base_url=f"{ROOT}/api/v1", timeout=30)
person = {
    "first_name": "Zoë",
    "last_name": "O'Hara",
    "username": "zoë",
    "email": f"Zoe+{uuid.uuid4().hex[:8]}@example.org",
    "password": "a tree in the 3rd garden",
}
made_here, read_here, sessions = [], [], []


def serializer(salt):
    return URLSafeTimedSerializer(SECRET, salt=salt, signer_kwargs={"digest_method": hashlib.sha256})


def expect(response, status):
    assert response.status_code == status, (status, response.status_code, response.request.url.path, response.text)
    return response.json() if response.headers.get("content-type", "").startswith("application/json") else response.text


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def newest_link(path):
    """The token of the newest mail's link to `path`, once there is such a mail to this person."""
    for _ in range(200):
        for mail in re.findall(r'/inbox/([0-9a-f-]{36})"', httpx.get(f"{ROOT}/inbox").text):
            source, text = (httpx.get(f"{ROOT}/inbox/{mail}/{form}").text for form in ("source", "text"))
            tokens = re.findall(re.escape(path) + r"/([\w.-]+)", text)
            if tokens and f"To: {person['email']}" in source:
                return tokens[0]
        time.sleep(0.05)
    raise AssertionError(f"no mail with a link to {path}")


def read_link(salt, token):
    """Reads a token of the service as the original reads its own."""
    claims, signed = serializer(salt).loads(token, max_age=3600, return_timestamp=True)
    read_here.append({"salt": salt, "when": int(signed.timestamp()), "claims": claims, "token": token})
    return claims


def make_link(salt, claims):
    """A token as the original makes it, and the service must read it."""
    token = serializer(salt).dumps(claims)
    when = serializer(salt).loads(token, return_timestamp=True)[1]
    made_here.append({"salt": salt, "when": int(when.timestamp()), "claims": claims, "token": token})
    return token


def read_session(token):
    """Reads a session's token as the original does."""
    claims = jwt.decode(jwt=token, key=SECRET, algorithms=["HS256"])
    sessions.append({"claims": claims, "token": token})
    return claims


def log_in(password):
    answer = expect(api.post("/auth/login", json={"email": person["email"], "password": password}), 200)
    assert answer["message"] == "Login successful" and answer["user"]["email"] == person["email"]
    access, refresh = read_session(answer["access_token"]), read_session(answer["refresh_token"])
    assert (access["refresh"], refresh["refresh"]) == (False, True)
    assert access["user"] == {"email": person["email"], "user_uid": answer["user"]["uid"], "role": "user"}
    return answer["access_token"], answer["refresh_token"]


def sign_up_and_verify():
    answer = expect(api.post("/auth/signup", json=person), 201)
    uid = answer["user"]["uid"]
    claims = read_link("email-verification", newest_link("/auth/verify"))
    assert claims == {"email": person["email"], "uid": uid}
    # The service's link is left alone: one that Python made does as well.
    token = make_link("email-verification", claims)
    assert expect(api.get(f"/auth/verify/{token}"), 200) == {"message": "Account verified successfully"}
    assert expect(api.get(f"/auth/password-reset-confirm/{token}"), 400)["error_code"] == "invalid_token"


def keep_books(access):
    book = {"title": "The Dispossessed", "author": "Ursula K. Le Guin", "publisher": "Harper & Row",
            "published_date": "1974-05-01", "page_count": 341, "language": "English"}
    uid = expect(api.post("/books/", json=book, headers=bearer(access)), 201)["uid"]
    assert expect(api.get(f"/books/{uid}", headers=bearer(access)), 200)["title"] == book["title"]
    changed = expect(api.patch(f"/books/{uid}", json={"page_count": 387}, headers=bearer(access)), 200)
    assert changed["page_count"] == 387
    me = expect(api.get("/auth/me", headers=bearer(access)), 200)
    assert [one["uid"] for one in me["books"]] == [uid] and me["is_verified"]
    assert api.delete(f"/books/{uid}", headers=bearer(access)).status_code == 204


def reset_by_form():
    expect(api.post("/auth/password-reset-request", json={"email": person["email"]}), 200)
    claims = read_link("password-reset", newest_link("/auth/password-reset-confirm"))
    path = f"/auth/password-reset-confirm/{make_link('password-reset', claims)}"
    assert 'name="new_password"' in expect(api.get(path, headers={"Accept": "text/html"}), 200)
    new = "another tree in the garden"
    form = {"new_password": new, "confirm_new_password": new}
    own = {"Origin": ROOT, "Sec-Fetch-Site": "same-origin"}
    assert "<!doctype html>" in expect(api.post(path, data=form, headers=own), 200)
    # Used up, in the service's spelling too.
    expect(api.post(path, json=form), 400)
    return new


sign_up_and_verify()
access, refresh = log_in(person["password"])
fresh = expect(api.get("/auth/refresh_token", headers=bearer(refresh)), 200)["access_token"]
assert read_session(fresh)["sid"] == read_session(access)["sid"]
keep_books(fresh)
password = reset_by_form()
assert expect(api.get("/auth/me", headers=bearer(access)), 401)["error_code"] == "token_revoked"
access, refresh = log_in(password)
# A session's token that PyJWT made of the same claims is as good.
remade = jwt.encode(jwt.decode(access, SECRET, algorithms=["HS256"]), SECRET, algorithm="HS256")
expect(api.get("/auth/me", headers=bearer(remade)), 200)
assert expect(api.get("/auth/logout", headers=bearer(access)), 200) == {"message": "Logged Out Successfully"}
assert expect(api.get("/auth/me", headers=bearer(remade)), 401)["error_code"] == "token_revoked"
assert expect(api.get("/auth/refresh_token", headers=bearer(refresh)), 401)["error_code"] == "token_revoked"

print(json.dumps({
    "with": {"httpx": version("httpx"), "itsdangerous": version("itsdangerous"), "PyJWT": version("PyJWT")},
    "secret": SECRET,
    "links_of_the_service": read_here,
    "links_of_itsdangerous": made_here,
    "sessions_of_the_service": sessions,
    "session_of_pyjwt": {"claims": jwt.decode(remade, SECRET, algorithms=["HS256"]), "token": remade},
}, indent=1, ensure_ascii=False))
