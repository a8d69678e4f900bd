"""Reads emails as Python's email package sees them, with its strict policy: any defect is an error.

Standard input: one email a line, in base64. Standard output: one JSON document a line.
"""

import base64
import email
import email.policy
import json
import sys
from email.header import decode_header, make_header
from email.utils import parseaddr


def text(message, kind):
    return message.get_body((kind,)).get_content().replace("\r\n", "\n")


def name_of(message):
    """The strict policy puts a blank between the encoded words of a name, against RFC 2047, section 6.2."""
    (sender,) = message["From"].addresses
    written = dict(message.raw_items())["From"]
    if written.count("=?") < 2:
        return sender.display_name
    return str(make_header(decode_header(parseaddr(written)[0])))


def read(raw):
    message = email.message_from_bytes(raw, policy=email.policy.strict)
    for part in message.walk():
        if part.defects:
            raise ValueError(part.defects)
    for name, value in message.items():
        if value.defects:
            raise ValueError(f"{name}: {value.defects}")
    (sender,) = message["From"].addresses
    (recipient,) = message["To"].addresses
    return {
        "from_name": name_of(message),
        "from": sender.addr_spec,
        "to": recipient.addr_spec,
        "subject": str(message["Subject"]),
        "message_id": str(message["Message-ID"]),
        "date": int(message["Date"].datetime.timestamp()),
        "feedback_id": str(message["Feedback-ID"]),
        "list_unsubscribe": str(message["List-Unsubscribe"]),
        "list_unsubscribe_post": str(message["List-Unsubscribe-Post"]),
        "auto_submitted": str(message["Auto-Submitted"]),
        "text": text(message, "plain"),
        "html": text(message, "html"),
    }


for line in sys.stdin:
    print(json.dumps(read(base64.b64decode(line))))
